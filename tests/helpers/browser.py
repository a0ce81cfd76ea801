"""A browser for the tests of pages."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))),
    None,
)

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
    "--virtual-time-budget=2000",
]


def browse(site: Path, profile: Path, page: str, body: str, fragment: str = "", width: int = 1280, scripts: str = ""):
    """Open a page with a script at its end and return what the script's function returns, or what it promises. Fails on
    console errors."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine")
    source = site / page
    probe = source.with_name(f"probe-{source.name}")
    script = (
        "<script>addEventListener('load', () => { const f = () => {" + body + "};"
        "Promise.resolve(f()).then((a) => { document.documentElement.dataset.answer = JSON.stringify(a); }); });"
        "</script></body>"
    )
    probe.write_text(source.read_text().replace("</body>", scripts + script))
    try:
        done = subprocess.run(
            [
                CHROMIUM,
                *FLAGS,
                f"--user-data-dir={profile}",
                f"--window-size={width},900",
                "--dump-dom",
                probe.as_uri() + fragment,
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        probe.unlink()
    errors = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert not errors, errors
    answer = re.search(r'data-answer="([^"]*)"', done.stdout)
    assert answer, f"no answer: {done.stderr[-500:]}"
    return json.loads(unescape(answer.group(1)))
