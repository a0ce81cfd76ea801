"""The pages by two judges from outside: html-validate for what HTML is, axe for who can use it.

``npm install --prefix DIR`` fetches those of a copy of ``.ci/package.json``; ``NODE_TOOLS=DIR`` says where they are.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(os.environ.get("NODE_TOOLS", "/nowhere")) / "node_modules"
RULES = {
    "extends": ["html-validate:recommended"],
    "root": True,
    "rules": {"no-inline-style": "off"},  # where a strip begins in its picture, and how full a cell is
}


def run_page(fake, name):
    return str(next((fake.site / "runs").glob(f"{name}-*.html")).relative_to(fake.site))


@pytest.mark.skipif(
    not (TOOLS / ".bin" / "html-validate").exists() or not shutil.which("node"),
    reason="no html-validate: NODE_TOOLS names no folder that it was installed in",
)
def test_every_page_is_valid_html(fake, tmp_path):
    config = tmp_path / "rules.json"
    config.write_text(json.dumps(RULES))
    pages = [*fake.site.glob("*.html"), *(fake.site / "runs").glob("*-s0-*.html")]
    done = subprocess.run(
        [TOOLS / ".bin" / "html-validate", "--config", config, "--formatter", "json", *pages],
        capture_output=True,
        text=True,
    )
    found = json.loads(done.stdout)
    assert [(Path(f["filePath"]).name, m["ruleId"], m["message"]) for f in found for m in f["messages"]] == []


@pytest.mark.skipif(
    not (TOOLS / "axe-core").exists(), reason="no axe-core: NODE_TOOLS names no folder that it was installed in"
)
@pytest.mark.parametrize(
    ("page", "width"),
    [(page, width) for page in ("index", "table2", "run") for width in (1280, 390)]
    + [(page, 390) for page in ("figure6", "compare", "cost", "evidence", "data", "methods", "protocol", "runs")],
)
def test_axe_finds_nothing_in_light_and_dark(fake, browse, page, width):
    place = run_page(fake, "student_mgr-dark-rgb-s0") if page == "run" else f"{page}.html"
    found = browse(
        place,
        """
      document.querySelectorAll('details:not([name])').forEach((d) => { d.open = true; });
      const look = async (theme, rules) => {
        document.documentElement.dataset.theme = theme;
        const { violations } = await axe.run(document, { preload: false, ...rules });
        return violations.map((v) => [theme, v.id, String(v.nodes[0].target)]);
      };
      const colours = { runOnly: ['color-contrast'] };  // themes differ in nothing else
      return look('light').then(async (light) => [...light, ...await look('dark', colours)]);
    """,
        width=width,
        script=(TOOLS / "axe-core" / "axe.min.js").read_text(),
    )
    assert found == []
