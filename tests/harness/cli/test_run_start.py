"""What a run starts from: by content in its key, by name in its record and on its page."""

import hashlib
import json

import pytest
import torch
import yaml
from mmaction.registry import MODELS
from mmengine.registry import init_default_scope

import mtcd_plugin.register  # noqa: F401
from harness.cli import main
from harness.ledger.store import load_records
from harness.plan.resolve import resolve
from harness.plan.workspace import RunChoices, open_workspace
from harness.suite import load_benchmark, load_entries

RGB = "i3d_r50_mgr-dark-rgb"


def run(capsys, *args):
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in args])
    out = capsys.readouterr()
    return stop.value.code or 0, out.out, out.err


@pytest.fixture
def suite(small_configs, tiny_data, tmp_path):
    return ["--configs", small_configs, "--data-root", tiny_data, "--work-dir", tmp_path / "work", "--profile", "smoke"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def give(configs, line, name=RGB):
    """Add a line to a config."""
    path = configs / "i3d" / f"{name}.py"
    path.write_text(path.read_text() + f"\n{line}\n")


def list_start(configs, profile="smoke", **start):
    """The starting weights of I3D in its metafile, at a profile."""
    path = configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    meta["Collections"][0]["Starting Weights"] = [{"Profile": profile, **start}]
    path.write_text(yaml.safe_dump(meta))


def planned(configs, data, profile="smoke", init=None, name=RGB):
    """The job of a config, or why there is none."""
    ws = open_workspace(configs, profile, data, None, 1, RunChoices(init=init))
    key = ws.plan.keys.get((name, 0))
    return ws.plan.jobs[key] if key else ws.plan.errors[name, 0]


def test_weights_count_by_content_wherever_they_lie(small_configs, tiny_data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plain = planned(small_configs, tiny_data)
    (tmp_path / "a.pth").write_bytes(b"one")
    (tmp_path / "b.pth").write_bytes(b"one")
    own = (small_configs / "i3d" / f"{RGB}.py").read_text()
    keys = {}
    for place in (
        "load_from = '{}'",
        "model = dict(init_cfg=dict(type='Pretrained', checkpoint='{}'))",
        "model = dict(backbone=dict(init_cfg=[dict(type='Pretrained', checkpoint='{}', prefix='backbone.')]))",
        "model = dict(backbone=dict(pretrained='{}'))",
    ):
        for file in (tmp_path / "a.pth", "a.pth", f"file://{tmp_path}/b.pth"):
            give(small_configs, place.format(file))
            job = planned(small_configs, tiny_data)
            assert job.pretrained[0].sha256 == hashlib.sha256(b"one").hexdigest()
            assert job.pretrained[0].file == str(file).rpartition("/")[2]
            assert str(tmp_path) in json.dumps(job.config) and str(tmp_path) not in json.dumps(job.identity.config)
            keys.setdefault(place, set()).add(job.key)
            (small_configs / "i3d" / f"{RGB}.py").write_text(own)
        assert len(keys[place]) == 1 and keys[place] != {plain.key}
        give(small_configs, place.format(tmp_path / "a.pth"))
        (tmp_path / "a.pth").write_bytes(b"another")
        assert planned(small_configs, tiny_data).key not in keys[place]
        (tmp_path / "a.pth").unlink()
        gone = planned(small_configs, tiny_data)
        assert "a.pth do not exist; fix the path in the config" in gone and f"{RGB}.py" in gone
        (tmp_path / "a.pth").write_bytes(b"one")
        (small_configs / "i3d" / f"{RGB}.py").write_text(own)
    assert planned(small_configs, tiny_data).key == plain.key


def test_a_sha256_after_a_path_is_checked_wherever_it_stands(small_configs, tiny_data, tmp_path):
    """Of a config and of a metafile; it is no part of the name, nor of what is trained."""
    (tmp_path / "a.pth").write_bytes(b"one")
    sha256 = hashlib.sha256(b"one").hexdigest()
    own = (small_configs / "i3d" / f"{RGB}.py").read_text()
    keys = set()
    for source in (f"{tmp_path}/a.pth", f"file://{tmp_path}/a.pth"):
        for end in ("", f"#sha256={sha256}"):
            give(small_configs, f"load_from = '{source}{end}'")
            job = planned(small_configs, tiny_data)
            assert [(w.file, w.sha256) for w in job.pretrained] == [("a.pth", sha256)]
            keys.add(job.key)
            (small_configs / "i3d" / f"{RGB}.py").write_text(own)
        give(small_configs, f"load_from = '{source}#sha256={'0' * 64}'")
        assert "instead of 000000000000...: cut short or another file; copy it again" in planned(
            small_configs, tiny_data
        )
        (small_configs / "i3d" / f"{RGB}.py").write_text(own)
        list_start(small_configs, File=source, SHA256=sha256, Into="model.backbone")
        job = planned(small_configs, tiny_data, init="pretrained")
        assert [(w.file, w.sha256) for w in job.pretrained] == [("a.pth", sha256)]
        list_start(small_configs, File=f"{tmp_path}/gone.pth", SHA256=sha256, Into="model.backbone")
        assert f"put it at {tmp_path}/gone.pth, or" in planned(small_configs, tiny_data, init="pretrained")
    assert len(keys) == 1


def test_where_nothing_is_listed_it_is_said_that_training_starts_from_nothing(small_configs, tiny_data, tmp_path):
    said = "no starting weights are listed for it in metafile.yml: trained from scratch"
    assert said not in planned(small_configs, tiny_data, init="scratch").notes
    path = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    meta["Collections"][0].pop("Starting Weights")
    path.write_text(yaml.safe_dump(meta))
    assert said in planned(small_configs, tiny_data, init="pretrained").notes
    assert said not in planned(small_configs, tiny_data, init="scratch").notes
    (tmp_path / "a.pth").write_bytes(b"one")
    give(small_configs, f"load_from = '{tmp_path}/a.pth'")
    assert said not in planned(small_configs, tiny_data, init="pretrained").notes


def test_an_address_counts_by_its_sha256_or_by_what_is_cached(small_configs, tiny_data, cache):
    url = "https://example.org/weights/net.pth"
    give(small_configs, f"load_from = '{url}'")
    assert f"are not in the cache; download them to {cache / 'net.pth'}, or add #sha256=" in planned(
        small_configs, tiny_data
    )
    (cache / "net.pth").write_bytes(b"one")
    sha256 = hashlib.sha256(b"one").hexdigest()
    job = planned(small_configs, tiny_data)
    assert (job.pretrained[0].file, job.pretrained[0].sha256) == (url, sha256)
    give(small_configs, f"load_from = '{url}#sha256={sha256}'")
    assert planned(small_configs, tiny_data).key == job.key
    (cache / "net.pth").unlink()
    assert planned(small_configs, tiny_data).key == job.key  # to be downloaded by the run
    (cache / "net.pth").write_bytes(b"on")
    assert "cut short or another file; remove it" in planned(small_configs, tiny_data)
    published = f"https://example.org/net-{sha256[:8]}.pth"
    give(small_configs, f"load_from = '{published}'")
    (cache / published.rpartition("/")[2]).write_bytes(b"on")
    assert "cut short or another file" in planned(small_configs, tiny_data)


def staged_starts(configs):
    """The RGB entry starts from x.org/one.pth, the one of depth, which is its stage and returned, from two.pth too."""
    depth = RGB.replace("rgb", "depth")
    give(configs, f"parents = dict(first=dict(config='{depth}.py', inject_at=['model.backbone.pretrained']))")
    path = configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    one, two = (
        {"Profile": "smoke", "File": f"https://x.org/{n}.pth", "Trained On": n, "Into": "model.backbone"}
        for n in ("one", "two")
    )
    meta["Collections"][0]["Starting Weights"] = [one]
    for model in meta["Models"]:
        if model["Name"] == depth:
            model["Starting Weights"] = [one, two]
    path.write_text(yaml.safe_dump(meta))
    return depth


def test_all_files_that_are_not_there_are_named_at_once_those_of_earlier_stages_too(small_configs, tiny_data, cache):
    """Whoever downloads them is told once: of a method's stages, each file once, with the place where it belongs."""
    depth = staged_starts(small_configs)
    said = planned(small_configs, tiny_data, init="pretrained")
    assert said == (
        "I3D starts from https://x.org/one.pth (one) and https://x.org/two.pth (two), which are not there: "
        f"put them at {cache / 'one.pth'} and {cache / 'two.pth'}, or train from nothing with --init scratch"
    )
    (cache / "one.pth").write_bytes(b"one")
    for name in (RGB, depth):
        said = planned(small_configs, tiny_data, init="pretrained", name=name)
        assert said.startswith("I3D starts from https://x.org/two.pth (two), which is not there: put it at")


def test_everything_that_is_missing_is_named_once_whatever_hides_what(capsys, small_configs, tmp_path, cache):
    """Data that is not there hides no weights, nor weights of one stage data or weights of another."""
    depth = staged_starts(small_configs)
    config = small_configs / "i3d" / f"{depth}.py"  # the stage learns from another set, which is not there either
    other = "_delete_=True, type='NvGestureDataset', data_root='data/nvgesture', modalities=['depth']"
    loaders = [f"{split}_dataloader = dict(dataset=dict({other}, split='{split}'))\n" for split in ("train", "test")]
    config.write_text("\n".join([config.read_text(), *loaders]))
    asked = ["plan", "--configs", small_configs, "--data-root", tmp_path, "--profile", "smoke", "--cell", f"{RGB}-s0"]
    weights = [f"missing weights: https://x.org/{n}.pth, download it to {cache / n}.pth" for n in ("one", "two")]
    sets = [f"missing data set: {n}, as {tmp_path / n}" for n in ("mgr_dark", "nvgesture")]

    def said(*more):
        return [line for line in run(capsys, *asked, *more)[2].splitlines() if line.startswith("missing")]

    assert said("--init", "pretrained")[0] == "missing in all: 2 data sets and 2 files of weights"
    assert sorted(said("--init", "pretrained")[1:]) == sorted(sets + weights)
    assert said("--init", "scratch") == ["missing in all: 2 data sets", *sets]
    (tmp_path / "mgr_dark").mkdir()  # a folder that holds nothing
    assert said("--init", "scratch") == ["missing in all: 2 data sets", *sets]
    (tmp_path / "mgr_dark" / "annotations.csv").touch()
    (cache / "one.pth").write_bytes(b"one")
    assert sorted(said("--init", "pretrained")[1:]) == sorted([sets[1], weights[1]])
    assert said("--init", "scratch") == []  # one thing alone, which the reason names


def test_a_stage_that_no_table_shows_is_listed_as_of_none(capsys, small_configs, tiny_data, tmp_path):
    depth = staged_starts(small_configs)
    path = small_configs / "i3d" / "metafile.yml"
    meta = yaml.safe_load(path.read_text())
    next(m for m in meta["Models"] if m["Name"] == depth)["Metadata"]["Bound"] = "upper"
    path.write_text(yaml.safe_dump(meta))
    asked = ["plan", "--configs", small_configs, "--data-root", tiny_data, "--profile", "smoke", "--init", "scratch"]
    code, out, _ = run(capsys, *asked, "--work-dir", tmp_path / "w", "--cell", f"{depth}-s0")
    assert code == 0 and out.splitlines()[-1].startswith("0 cells at profile smoke: 1 job, ")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("torchvision://resnet50", "'torchvision://' is not supported"),
        ("file://relative.pth", "needs an absolute path"),
        ("https://example.org/a.pth#md5=1", "goes sha256=<64 hexadecimal digits>"),
    ],
)
def test_what_is_no_file_is_refused_by_name(small_configs, tiny_data, source, words):
    give(small_configs, f"load_from = '{source}'")
    assert words in planned(small_configs, tiny_data)


def test_the_paper_profile_starts_from_the_listed_weights_or_is_told_not_to(capsys, small_configs, tiny_data, cache):
    """One line per method says what to do; the input is that of the weights; a config's own weights stand."""
    asked = ["plan", "--configs", small_configs, "--data-root", tiny_data, "--profile", "paper", "--seeds", "1"]
    code, _, err = run(capsys, *asked)
    listed = yaml.safe_load((small_configs / "i3d" / "metafile.yml").read_text())["Collections"][0]["Starting Weights"]
    (file,) = [start["File"] for start in listed if "Profile" not in start]
    name = file.rpartition("/")[2]
    assert code == 1 and err.count("cannot plan") == 1
    assert f"I3D starts from {file} (Kinetics-400), which is not there: put it at {cache / name}" in err
    assert "or train from nothing with --init scratch" in err
    code, out, err = run(capsys, *asked, "--init", "scratch")
    assert code == 0 and "cannot plan" not in err and "2 jobs" in out

    scratch = planned(small_configs, tiny_data, "paper", "scratch")
    as_it_stands = resolve(small_configs / "i3d" / f"{RGB}.py", "paper").config
    assert not scratch.pretrained and scratch.config["model"] == as_it_stands["model"]
    list_start(
        small_configs,
        "paper",
        File="https://x.org/a.pth",
        SHA256="ab" * 32,
        Into="model.backbone",
        Prefix="backbone.",
        Mean=[1, 2, 3],
        Std=[4, 5, 6],
    )
    job = planned(small_configs, tiny_data, "paper")
    assert job.config["model"]["backbone"]["init_cfg"] == [
        dict(type="Pretrained", checkpoint="https://x.org/a.pth#sha256=" + "ab" * 32, prefix="backbone.")
    ]
    assert (
        job.config["model"]["data_preprocessor"] | dict(statistics="fixed", mean=[1, 2, 3], std=[4, 5, 6])
        == (job.config["model"]["data_preprocessor"])
    )
    assert [w.sha256 for w in job.pretrained] == ["ab" * 32] and job.key != scratch.key
    give(small_configs, "load_from = 'https://x.org/b.pth#sha256=" + "cd" * 32 + "'")
    own = planned(small_configs, tiny_data, "paper")
    assert [w.sha256 for w in own.pretrained] == ["cd" * 32] and "init_cfg" not in own.config["model"]["backbone"]


def test_every_stage_of_mtcd_at_paper_has_its_start_and_one_input(tiny_data):
    """Networks that see each other's clips, or are tested together, are given the same input."""
    from harness.plan.start import start_from
    from tests.mm_configs.test_configs import ROOT as CONFIGS

    statistics = {}
    for name, entry in load_entries(CONFIGS, load_benchmark(CONFIGS / "benchmark.yml")).items():
        config = resolve(entry.config, "paper").config
        made = start_from(entry, config, config, "pretrained", "paper")
        starts = json.dumps(made["model"]).count('"Pretrained"')
        trains = made.get("train_cfg") is not None
        listed = [s for s in entry.starts_at("paper") if s.into]
        assert starts == (len(listed) if trains else 0), name
        compared = entry.method in ("MTCD", "I3D") or entry.config.parent.name == "rivals"
        if compared:
            assert len(listed) == (entry.stage not in ("translator", "pseudo_ir")), name
        if compared and (entry.metadata.get("Bound") or entry.stage in ("single", "teacher", "student")):
            statistics[name] = json.dumps(
                {k: made["model"]["data_preprocessor"].get(k) for k in ("statistics", "mean", "std")}
            )
    assert len(set(statistics.values())) == 1, statistics
    assert '"fixed"' in next(iter(statistics.values()))


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (dict(File="https://x.org/a.pth"), "File and Into belong together"),
        (dict(File="/a.pth#sha256=" + "a" * 64, Into="model.backbone", SHA256="a" * 64), "SHA256 is given twice"),
        (dict(Mean=[1, 2, 3]), "Mean and Std belong together"),
        (dict(File="https://x.org/a.pth", Into="model.backbone", SHA256="abc"), "SHA256"),
        (dict(Fiel="x"), "Fiel"),
    ],
)
def test_a_metafile_with_half_a_start_is_refused(small_configs, start, words):
    list_start(small_configs, **start)
    with pytest.raises(ValueError, match=words):
        load_entries(small_configs, load_benchmark(small_configs / "benchmark.yml"))


def test_a_new_method_starts_from_what_it_is_compared_with(capsys, small_configs):
    run(capsys, "models", "new", "mine", "--configs", small_configs)
    entries = load_entries(small_configs, load_benchmark(small_configs / "benchmark.yml"))
    assert entries["mine_mgr-dark-rgb"].start == entries[RGB].start != ()


def test_a_listed_module_that_is_not_there_is_named(small_configs, tiny_data):
    list_start(small_configs, File="https://x.org/a.pth", Into="model.student.backbone")
    assert "Starting Weights: the config has no 'model.student.backbone'" in planned(
        small_configs, tiny_data, init="pretrained"
    )


def test_a_run_says_what_it_started_from(capsys, suite, small_configs, tiny_data, tmp_path):
    """Record, page, row, status; and the weights have an effect."""
    torch.manual_seed(9)
    init_default_scope("mmaction")
    config = resolve(small_configs / "i3d" / f"{RGB}.py", "smoke").config["model"]
    donor = MODELS.build({**config, "cls_head": {**config["cls_head"], "num_classes": 400}})
    donor.init_weights()
    file = tmp_path / "kinetics.pth"
    torch.save({"state_dict": donor.state_dict()}, file)
    list_start(
        small_configs, File=f"file://{file}", Into="model.backbone", Prefix="backbone.", Mean=[1, 2, 3], Std=[9, 9, 9]
    )
    command = ["run-all", *suite, "--jobs", "1", "--site", tmp_path / "site", "--init", "pretrained"]
    code, out, err = run(capsys, *command)
    assert code == 0, out + err
    records = {r.cell.model: (folder, r) for folder, r in load_records(tmp_path / "work")[0].values()}
    folder, record = records[RGB]
    (weights,) = record.pretrained
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert (weights.where, weights.file, weights.sha256) == (
        "model.backbone.init_cfg.0.checkpoint",
        "kinetics.pth",
        sha256,
    )
    assert weights.loaded == weights.backbone_loaded == weights.total > 0 and not weights.missing
    assert str(tmp_path) not in (folder / "run.json").read_text()
    assert "--init pretrained" in record.command
    trained = torch.load(folder / "checkpoint.pth", weights_only=True)["state_dict"]
    far = (trained["backbone.conv1.conv.weight"] - donor.backbone.conv1.conv.weight).abs().max()
    assert far < 0.1 * donor.backbone.conv1.conv.weight.abs().max()  # two steps away
    page = next(p for p in (tmp_path / "site").rglob("*.html") if sha256 in p.read_text())
    assert f"kinetics.pth, sha256 {sha256}" in page.read_text()
    for name in ("protocol.html", "table2.html"):
        assert f"kinetics.pth ({sha256[:12]})" in (tmp_path / "site" / name).read_text()
    asked = [*suite, "--init", "pretrained"]
    assert "2 jobs: 2 done" in run(capsys, "status", *asked)[1]
    torch.save({"state_dict": donor.state_dict(), "x": 1}, file)
    code, out, _ = run(capsys, "status", *asked)
    assert "2 jobs: 2 stale" in out and "model.backbone.init_cfg.0.checkpoint" in out and "sha256:" in out
    file.unlink()
    assert "put it at" in run(capsys, "status", *asked)[2] + run(capsys, "plan", *asked)[2]
