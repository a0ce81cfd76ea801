"""No page, download or JSON says where things lie on a machine, or whose it is."""

import getpass
import json
import re
import shutil
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.ledger.planfile import read_plan, write_plan
from harness.ledger.record import Failure, StartingWeights
from harness.ledger.store import load_record
from reports import build
from reports.ledger.ledger import Ledger
from reports.ledger.privacy import Privacy, privacy, without_paths
from tests.helpers.fake_ledger import fake_predictions, save
from tests.helpers.fake_site import FAKE_STATISTICS, write
from tests.helpers.html_tree import parse

OWNER, PLACE = "jqzpublic", "/home/jqzpublic/my data"
TAIL = [
    'Traceback: File "/home/jqzpublic/.venv/lib/python3.11/site-packages/torch/nn/functional.py", line 3',
    "[c10d] rank 0 on jqzpublic: cannot reach jqzpublic@box7.lab.example:29500",
    f"FileNotFoundError: [Errno 2] No such file: '{PLACE}/mgr_dark/rgb/a b.mp4'",
    "reading C:\\Users\\jqzpublic\\clips\\c.avi; weights file:///srv/jqz/i3d.pth, https://example.org/weights/i3d.pth",
]
SECRET = re.compile(
    r"jqzpublic|box7|/home/|/Users/|\\Users\\|file://|(?<![\w./:<\"])/(?:tmp|srv|work|root|usr|mnt|var|opt)/"
    r"|[\"'`> ]/(?:tmp|srv|root)/"
)


def replaced(made, pattern, **update):
    """A run in the place of another one, with further content in its record and its key in the plan."""
    old = next((made.work_dir / "runs").glob(pattern))
    record = load_record(old)
    identity = record.identity.model_copy(update={"config": {**record.identity.config, **update.pop("config", {})}})
    predictions = update.get("status") != "failed"
    table = fake_predictions("mgr_dark", 0.3, record.cell.seed, "x", 2) if predictions else None
    shutil.rmtree(old)
    update |= {"identity": identity, "metrics": None, "predictions_sha256": ""}
    key = save(made.work_dir, record.model_copy(update=update), table).key
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    cells = [c.model_copy(update={"key": key}) if c.key == record.key else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of runs that are done, failed, rejected, blocked and not to be planned, each with something to hide."""
    made = write(
        tmp_path_factory.mktemp("private"),
        seeds=1,
        missing={("plain_nvgesture-rgb", 0), ("hostile_mgr-dark-rgb", 0)},
        errors={
            ("student_mgr-dark-rgb+half", 0): f"{PLACE}/nvgesture: no such data set; give the folder with --data-root"
        },
    )
    broken = Failure(kind="data_error", message=f"{PLACE}/mgr_dark/ir/c1.mp4: cannot be decoded", log_tail=TAIL)
    replaced(made, "broken_mgr-dark-rgb-s0-*", status="failed", failure=broken, epochs=[])
    replaced(
        made,
        "plain_mgr-dark-rgb-s0-*",
        notes=[f"read from {PLACE}/mgr_dark by jqzpublic"],
        adopted="as on jqzpublic",
        adopted_from="e" * 64,
        command=f"python -m harness run --data-root '{PLACE}' --work-dir {made.work_dir}",
        pretrained=[StartingWeights(where="load_from", file="/srv/weights/i3d.pth", sha256="a" * 64)],
        config={"cache": f"{PLACE}/cache", "nested": [{"at": "/var/tmp/jqz/x.json"}]},
        hardware={"cpu": "a cpu in /srv/rack"},
    )
    rejected = next((made.work_dir / "runs").glob("plain_mgr-dark-depth-s0-*")) / "run.json"
    rejected.write_text("{")
    path = made.work_dir / "plan.json"
    plan = read_plan(path)
    blocked = {"key": "f" * 64, "error": f"its stage failed: {PLACE}/sysu_mm01/cam1: gone"}
    cells = [c.model_copy(update=blocked) if c.id == "plain_nvgesture-rgb" else c for c in plan.cells]
    write_plan(path, plan.model_copy(update={"cells": cells}))
    entry = made.entries["plain_mgr-dark-depth"]
    made.entries["plain_mgr-dark-depth"] = type(entry)(**{**vars(entry), "pretrained": f"{PLACE}/weights.pth"})
    made.paths = build(
        made.work_dir, made.site, made.benchmark, made.entries, [{**FAKE_STATISTICS, "x": {"at": PLACE}}]
    )
    return made


def test_a_site_of_every_kind_of_record_names_no_place_and_nobody(site):
    own = {str(site.work_dir), str(site.work_dir.parent), str(Path.home()) + "/", str(Path.cwd()) + "/"}
    own |= {socket.gethostname()} if len(socket.gethostname()) > 4 else set()
    own |= {getpass.getuser()} if len(getpass.getuser()) > 6 else set()
    found = []
    for path in site.paths:
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [(path.name, m.group(), text[max(0, m.start() - 60) : m.end() + 60]) for m in SECRET.finditer(text)]
        found += [(path.name, secret, "") for secret in own if secret in text]
    assert not found, found[:5]


def test_an_adopted_run_says_so_and_why(site):
    page = next(p for p in site.paths if p.name.startswith("plain_mgr-dark-rgb-s0") and p.suffix == ".html")
    said = parse(page).text
    assert "Adopted from run eeeeeeeeeeee" in said and "Reason given: “as on" in said
    runs = parse(next(p for p in site.paths if p.name == "runs.html")).text
    assert "done adopted" in runs and "“as on …” (plain_mgr-dark-rgb s0)" in runs
    others = [p for p in site.paths if p.parent.name == "runs" and p.suffix == ".html" and p != page]
    assert others and not any("Adopted from" in parse(p).text for p in others)


def test_what_is_left_still_says_which_file(site):
    text = " ".join(parse(p).text for p in site.paths if p.suffix == ".html")
    for said in (
        "mgr_dark/ir/c1.mp4: cannot be decoded",
        'File "torch/nn/functional.py", line 3',
        "nvgesture: no such data set",
        "sysu_mm01/cam1: gone",
        "run.json: corrupt",
        "https://example.org/weights/i3d.pth",
        "mgr_dark/rgb/a b.mp4",
        "i3d.pth",
    ):
        assert said in text, said
    data = json.loads((site.site / "leaderboard.json").read_text())
    reasons = {r["cell"]: r["reason"] for r in data["runs"]}
    assert reasons["plain_mgr-dark-depth"].startswith("runs/plain_mgr-dark-depth-s0-")


@pytest.mark.parametrize(
    "text",
    [
        "a / b and/or 1/2, 3 GiB/s",
        "https://example.org/a/b?c=/d",
        "<b>bold</b> x",
        "M0 4H100 L1/2",
        "data/synthetic-demo/mgr_dark",
        "runs/x-123/run.json",
        "p < 0.05; 20/25",
        "python -m harness run --cell 'a+b=0.5-s0'",
    ],
)
def test_what_is_no_place_stays(text):
    assert without_paths(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'/home/a b/c d/e.mp4' is bad", "'e.mp4' is bad"),
        ("/mnt/x y/mgr_dark: none", "mgr_dark: none"),
        ("error:/srv/a/b.txt", "error:b.txt"),
        ("--out=/srv/a/b", "--out=b"),
        ("in /home/jane", "in home"),
        ("~jane/x/y", "y"),
        ("http://jane:pw@example.org/x", "http://example.org/x"),
        ("[/a/b, /c/d]", "[b, d]"),
        ("../jane/mgr_dark: 3 classes", "mgr_dark: 3 classes"),
        ("data_root='../jane of ours/mgr_dark'", "data_root='mgr_dark'"),
        ("jane/videos/nvgesture/a.avi is short", "nvgesture/a.avi is short"),
        ("--data-root ./jane", "--data-root jane"),
        ('data_root="/x/smith\'s lab/mgr_dark",', 'data_root="mgr_dark",'),
        ("clip_store='/home/jane\\'s \"lab\"/clip_store' and 'x'", "clip_store='clip_store' and 'x'"),
        ('work_dir="/srv/O\'Brien/work/runs/x/mm"', 'work_dir="runs/x/mm"'),
        ("/srv/O'Brien/work/runs/x: none", "runs/x: none"),
        ('data_root="smith\'s lab/data/mgr_dark",', 'data_root="mgr_dark",'),
        ("a='x y' in jane's/mgr_dark b='jane/mgr_dark/v'", "a='x y' in mgr_dark b='mgr_dark/v'"),
        ("in /srv/O'Brien", "in O'Brien"),
        ("'/srv/a' isn't '/srv/b/runs/x'", "'a' isn't 'runs/x'"),
        ("it's /srv/a's b", "it's a's b"),
    ],
)
def test_places_are_shortened(text, expected):
    assert without_paths(text) == expected


def test_a_user_without_a_home_has_none_to_hide(tmp_path, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")  # as pathlib says it

    monkeypatch.setattr(Path, "home", homeless)
    assert str(tmp_path) in privacy([tmp_path], []).roots


def test_ledgers_of_one_name_are_numbered_and_the_folders_above_them_stay_untold():
    """A ledger is often in the home of who made it."""
    places = tuple(Path(p) for p in ("/home/alice/work_dirs", "/home/bob/work_dirs", "/data/of_lab"))
    ledger = SimpleNamespace(work_dirs=places, privacy=Privacy((), None))
    assert Ledger.names.fget(ledger) == ["work_dirs (1)", "work_dirs (2)", "of_lab"]
