"""What is said of GPUs without torch."""

import os

from harness.system.gpus import free_gpu_memory


def test_free_memory_of_a_gpu_as_the_drivers_tool_says_it(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(
        '#!/bin/sh\ncase "$1" in --id=1) echo 2048;; --id=0,1) printf "4096\\n2048\\n";; *) echo "[N/A]";; esac\n'
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert free_gpu_memory("1") == free_gpu_memory("0,1") == 2048 * 2**20 and free_gpu_memory("7") is None
    tool.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert free_gpu_memory("1") is None
