"""``models new``: a folder of configs and a metafile to start a new method from."""

from __future__ import annotations

import json
import os
import re
import textwrap
from pathlib import Path

import yaml

from harness import PACKAGED_CONFIGS
from harness.errors import BadUsage, unknown_name
from harness.suite import Benchmark, Entry
from harness.suite.modalities import BY_ID, BY_METAFILE, IN_METAFILES, in_metafile, joined, members

MOST_LETTERS = 100  # names of configs, runs and downloads begin with it, and a file's name has 255 bytes at most
CONFIG = """# {title} on {dataset}, {modality}. {stock}
_base_ = ['{base_config}']
# What makes your method differ from {base} goes here and holds at every profile, for example:
# model = dict(cls_head=dict(dropout_ratio=0.3))
# A class of your own package (no profile says anything of its arguments but your own):
# custom_imports = dict(imports=['mtcd_plugin.register', 'your_package'], allow_failed_imports=False)
# model = dict(backbone=dict(_delete_=True, type='YourNet', width=64), cls_head=dict(in_channels=512))
# Clips, batches and schedule are the profile's (_base_/profiles). A value of your own at one of them, for any key:
# profiles = dict(demo=dict(train_dataloader=dict(batch_size=8), transforms=dict(SampleClipFrames=dict(clip_len=8))))
"""

METAFILE = """Collections:
  - Name: {title}
    Paper: {{Title: "{title} (unpublished)", URL: ""}}
    # From {source}; where your network is another, say so in Architecture and Family,
    # and name its own Starting Weights or none: it is trained from scratch then, which its row says.
    Metadata:
      Architecture: {architecture}
      Family: {family}
{start}Models:
"""

MODEL = """  - Name: {name}
    Config: {folder}/{name}.py
    In Collection: {title}
    Metadata: {{Training Data: {training_data}, Pretrained: none}}
    Modality: {modality}
    Training Modalities: [{training}]
    Stage: single
    Results: []
"""


def writable_checkout() -> bool:
    """Whether the configs that came with the harness lie in a checkout of it, as no installed ones do."""
    return (PACKAGED_CONFIGS.parent / "pyproject.toml").is_file() and os.access(PACKAGED_CONFIGS, os.W_OK)


def new_entry(
    configs: Path,
    name: str,
    base: Entry,
    entries: dict[str, Entry],
    benchmark: Benchmark,
    modalities: tuple[str, ...] = (),
) -> list[Path]:
    """Write ``<configs>/<name>/`` with one config per data set and modality that ``base``'s method has,
    and a metafile.

    Args:
        base: a network that stands alone, see ``harness.plan.resolve.stands_alone``.
        modalities: test modalities to write configs for, ``rgb`` or as metafiles write it, ``RGB``; empty for all.

    Raises:
        ValueError: a name that is no folder name or is taken, or a modality that the
            base's method does not have.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        raise BadUsage(f"'{name}': the name of a method's folder must match [a-z][a-z0-9_-]*")
    if len(name) > MOST_LETTERS:
        raise BadUsage(f"'{name[:20]}…': has {len(name)} letters; the name of a method has {MOST_LETTERS} at most")
    folder = configs / name
    if folder.exists():
        raise BadUsage(f"{folder} is there already; choose another name")
    if taken := next((e for e in entries.values() if e.method.casefold() == name), None):
        raise BadUsage(
            f"{name}: there is a method {taken.method} in {taken.config.parent}, and a name that differs from it in "
            "capitals alone is none; choose another name"
        )
    siblings = _siblings(base, entries, modalities)
    folder.mkdir(parents=True)
    written = []
    metafile = METAFILE.format(
        title=name,
        source=base.title,
        architecture=json.dumps(base.metadata.get("Architecture", [])),
        family=json.dumps(base.metadata.get("Family", "")),
        start=_start(base),
    )
    for sibling in siblings:
        training_data = benchmark.datasets[sibling.dataset].training_data
        path = folder / f"{_stem(name, sibling)}.py"
        path.write_text(_config(name, training_data, sibling, configs), encoding="utf-8")
        metafile += _model(name, training_data, sibling, configs)
        written.append(path)
    (folder / "metafile.yml").write_text(metafile, encoding="utf-8")
    return [*written, folder / "metafile.yml"]


def _siblings(base: Entry, entries: dict[str, Entry], modalities: tuple[str, ...]) -> list[Entry]:
    """The networks of a method, those that are tested on some modalities; empty for all."""
    siblings = [
        e
        for e in entries.values()
        if (e.method, e.stage, e.protocol) == (base.method, base.stage, base.protocol) and not e.metadata.get("Bound")
    ]
    known = list(dict.fromkeys(e.test_modality for e in siblings))
    wanted = [_set_named(m) for m in modalities]
    for modality in wanted:
        if modality not in known:
            raise BadUsage(
                f"--modality: {unknown_name('modality', modality, known)}, the test modalities of {base.method}"
            )
    return [e for e in siblings if not wanted or e.test_modality in wanted]


def _stem(name: str, sibling: Entry) -> str:
    """The name of a new model, and of its config."""
    return f"{name}_" + f"{sibling.dataset}-{sibling.test_modality}".replace("_", "-").replace("+", "-")


def _config(name: str, training_data: str, sibling: Entry, configs: Path) -> str:
    return CONFIG.format(
        title=name,
        dataset=training_data,
        modality=in_metafile(sibling.test_modality),
        base=sibling.name,
        **_base_of(sibling.config, configs, _stem(name, sibling)),
    )


def _model(name: str, training_data: str, sibling: Entry, configs: Path) -> str:
    """A model of the metafile."""
    return MODEL.format(
        name=_stem(name, sibling),
        folder=f"{configs.name}/{name}",
        title=name,
        training_data=training_data,
        modality=in_metafile(sibling.test_modality),
        training=", ".join(IN_METAFILES[m] for m in sibling.train_modalities),
    )


def _set_named(text: str) -> str:
    """The id of the set that an option names by ids or as metafiles do; what names none stays as it is."""
    try:
        return joined(members(text, {**BY_ID, **BY_METAFILE}))
    except ValueError:
        return text


def _base_of(base: Path, configs: Path, stem: str) -> dict[str, str]:
    """What a new config says of the one that it inherits from: a path in the same folder of configs, else our name."""
    if base.parent.parent.resolve() == configs.resolve():
        stock = "Trains as it stands with MMAction2's tools/train.py."
        return {"base_config": f"../{base.parent.name}/{base.name}", "stock": stock}
    stock = f"For MMAction2's tools/train.py: harness models show {stem} --configs DIR > {stem}.py"
    return {"base_config": f"{PACKAGED_CONFIGS.name}::{base.parent.name}/{base.name}", "stock": stock}


def _start(base: Entry) -> str:
    """The starting weights of the base in a metafile: a new method starts from what it is compared with."""
    if not base.start:
        return ""
    listed = [s.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"stages"}) for s in base.start]
    text = yaml.safe_dump({"Starting Weights": listed}, sort_keys=False, default_flow_style=None, width=1000)
    return textwrap.indent(text, "    ")
