"""How the harness starts: from its own files wherever one stands, and what it says of the files it is made of."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.system.git import git

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The packages as an installation has them: apart from the repository, in a folder that is on the path."""
    lib = tmp_path_factory.mktemp("venv") / "lib"
    for package in ("harness", "reports", "mtcd_plugin", "mm_configs"):
        shutil.copytree(ROOT / package, lib / package, ignore=shutil.ignore_patterns("__pycache__"))
    script = lib.parent / "bin" / "harness"
    script.parent.mkdir()
    script.write_text("from harness.__main__ import start\nif __name__ == '__main__':\n    start()\n")
    return lib


@pytest.fixture
def decoys(tmp_path) -> Path:
    """A folder of somebody's who also has reports, a plugin and configs."""
    place = tmp_path / "somebody's"
    for name in ("reports", "mtcd_plugin", "mm_configs", "json"):
        (place / name).mkdir(parents=True)
        (place / name / "__init__.py").write_text(f"raise SystemExit('took the {name} of the current folder')\n")
    return place


def call(lib, place, *words):
    env = {**os.environ, "PYTHONPATH": str(lib)}
    done = subprocess.run([sys.executable, *words], cwd=place, env=env, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def test_pages_and_plans_are_made_beside_folders_of_the_same_names(installed, decoys, small_configs, tiny_data):
    shutil.rmtree(decoys / "json")  # imported before any code of ours runs
    suite = ["--configs", str(small_configs), "--profile", "smoke", "--data-root", str(tiny_data)]
    code, said = call(installed, decoys, "-m", "harness", "status", *suite)
    assert code == 0 and "2 missing" in said
    code, said = call(installed, decoys, "-m", "harness", "report", "--configs", str(small_configs))
    assert code == 1 and "nothing planned here yet" in said


@pytest.mark.slow
def test_jobs_run_beside_folders_of_the_same_names(installed, decoys, small_configs, tiny_data):
    (decoys / "harness").mkdir()
    (decoys / "harness" / "__init__.py").write_text("raise SystemExit('took the harness of the current folder')\n")
    suite = ["--configs", str(small_configs), "--profile", "smoke", "--data-root", str(tiny_data), "--seeds", "1"]
    script = str(installed.parent / "bin" / "harness")
    code, said = call(installed, decoys, script, "run", *suite, "--jobs", "1", "--cell", "i3d_r50_mgr-dark-rgb-s0")
    assert code == 0 and "1 run, 0 failed" in said and "took the" not in said


def test_a_checkout_runs_without_being_installed(tmp_path):
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    command = [
        sys.executable,
        "-S",
        "-c",
        "import sys; sys.argv[1:] = []; import harness.__main__ as m; print(m.__file__)",
    ]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / "harness" / "__main__.py")
    code = "import os, sys, harness.__main__ as m; m.leave_current_folder(); "
    code += "print([sys.path[0], 'PYTHONSAFEPATH' in os.environ])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.stdout == "['', False]\n"  # the current folder still comes first, for the processes started as well


def test_a_new_method_goes_into_a_checkout_but_not_into_an_installation(installed, tmp_path):
    shutil.copytree(installed, tmp_path / "lib")
    configs, words = tmp_path / "lib" / "mm_configs", ("-m", "harness", "models", "new", "mine", "--modality", "rgb")
    code, said = call(tmp_path / "lib", tmp_path, *words)
    assert code == 2 and said.count("\n") == 1 and "--configs DIR" in said
    assert not (configs / "mine").exists()
    (tmp_path / "own").mkdir()
    assert call(tmp_path / "lib", tmp_path, *words, "--configs", "own")[0] == 0
    assert (tmp_path / "own" / "mine" / "metafile.yml").is_file()
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "lib")
    assert call(tmp_path / "lib", tmp_path, *words)[0] == 0 and (configs / "mine" / "metafile.yml").is_file()


def commit_of(lib) -> str:
    code, said = call(lib, lib, "-c", "from harness.system.environment import commit; print(commit())")
    assert code == 0
    return said.strip()


def test_a_surrounding_repository_is_not_the_harnesss(installed, tmp_path):
    project = tmp_path / "project"
    lib = project / ".venv" / "lib"
    shutil.copytree(installed / "harness", lib / "harness")
    git(tmp_path, "init", "-q", "project")
    (project / ".gitignore").write_text(".venv\n")
    save = ("-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-qm", "work")
    for names in ([".gitignore"], ["-f", ".venv/lib/harness"]):
        assert commit_of(lib) == ""
        subprocess.run(["git", "add", *names], cwd=project, check=True)
        subprocess.run(["git", *save], cwd=project, check=True)
    assert commit_of(lib) == git(project, "rev-parse", "HEAD")[:12]
    (project / ".gitignore").write_text("")
    assert commit_of(lib) == git(project, "rev-parse", "HEAD")[:12]  # a change beside it is none of it
    (lib / "mm_configs" / "own").mkdir(parents=True)
    (lib / "mm_configs" / "own" / "own.py").write_text("model = dict()\n")
    assert commit_of(lib).endswith("-dirty")  # a clone would not have the config
    shutil.rmtree(lib / "mm_configs")
    with (lib / "harness" / "system" / "git.py").open("a") as f:
        f.write("# changed\n")
    assert commit_of(lib).endswith("-dirty")


def test_a_repository_that_a_git_hook_points_to_is_not_the_harnesss(installed, tmp_path, monkeypatch):
    git(tmp_path, "init", "-q", "other")
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@x", "commit", "-qm", "x", "--allow-empty"],
        cwd=tmp_path / "other",
        check=True,
    )
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    assert commit_of(installed) == ""


def test_the_promised_pythons_are_the_same_everywhere():
    project = (ROOT / "pyproject.toml").read_text()
    low, high = map(int, re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', project).groups())
    promised = [f"3.{minor}" for minor in range(low, high)]
    assert f"Python {' or '.join(promised)}, Linux" in (ROOT / "README.md").read_text()
    assert f"for version in {' '.join(promised)}; do" in (ROOT / ".ci" / "pythons").read_text()
    assert f"use Python {' or '.join(promised)}" in (ROOT / "harness" / "system" / "doctor.py").read_text()
    assert f'target-version = "py3{low}"' in project
    assert re.findall(r'"Programming Language :: Python :: ([\d.]+)"', project) == promised
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert re.findall(r"^ +(3\.\d+)$", workflow, re.M) == promised[::-1]  # the last is `python3`


@pytest.mark.parametrize("module", ["run_all", "models", "data", "bench", "plan"])
def test_help_imports_nothing_heavy(module):
    code = f"import sys, harness.cli.{module}; print([m for m in ('numpy', 'pandas', 'pydantic') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"


@pytest.mark.parametrize("command", ["doctor", "run-all"])
def test_a_python_without_the_packages_is_told_to_activate_the_environment(command):
    bare = [sys.executable, "-S", "-m", "harness", command]  # -S: nothing that is installed is found
    done = subprocess.run(bare, cwd=Path(__file__).parents[3], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stdout == "" and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"error: {sys.executable} has no module click: activate the environment")
    assert "pip install -c constraints.txt -e ." in done.stderr


@pytest.mark.parametrize("asked", ["SIGTERM", "SIGHUP"])
def test_a_request_to_end_is_answered_as_an_interrupt_where_no_job_runs(asked):
    code = (
        "import os, signal, sys, harness.__main__ as m, harness.system.doctor as d\n"
        f"d.checks = lambda *_: os.kill(os.getpid(), signal.{asked})\n"
        f"signal.signal(signal.{asked}, signal.SIG_DFL)\n"  # the tests may run below nohup
        "sys.argv[1:] = ['doctor']\n"
        "m.start()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 130 and done.stderr.strip() == "error: interrupted"


def test_closed_output_hinders_nothing():
    code = (
        "import sys, harness.__main__ as m, harness.cli as cli\n"
        "cli.main = lambda: sys.exit(0 if sys.stdout.isatty() is sys.stderr.isatty() is False else 7)\n"
        "m.start()\n"
    )
    closed = ["sh", "-c", '"$0" -c "$1" >&- 2>&-', sys.executable, code]
    assert subprocess.run(closed, cwd=ROOT, check=False).returncode == 0
