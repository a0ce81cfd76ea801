"""``data``: synthesize, segment, verify, cache and describe data sets."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from harness.cli.common import print_json, print_table
from harness.cli.counter import counter
from harness.cli.data_cache import cache
from harness.cli.group import Group
from harness.cli.options import jobs_option, json_option
from harness.cli.types import COUNT, FOLDER, NEW_FILE, NEW_FOLDER, NOT_NEGATIVE, OLD_FILE
from harness.data.names import BUILT_IN, synthetic_root
from harness.errors import BadUsage, count, with_others

log = logging.getLogger(__name__)


@click.group("data", cls=Group)
def command() -> None:
    """Synthesize, segment, verify, cache and describe data sets."""


@command.command("synthesize")
@click.option(
    "--out",
    type=NEW_FOLDER,
    default=None,
    help="Folder to write to.  [default: data/synthetic-PRESET]",
)
@click.option("--preset", type=click.Choice(["demo", "smoke"]), default="demo", show_default=True)
@click.option(
    "--datasets",
    default=None,
    help="Only these, with commas between.  [default: all but source_motions, on which networks are pretrained]",
)
@click.option("--seed", type=NOT_NEGATIVE, default=0, show_default=True)
@jobs_option
def synthesize_command(out: Path | None, preset: str, datasets: str | None, seed: int, jobs: int | None) -> None:
    """Write small synthetic data sets as real files in the layouts of the real ones."""
    from harness.data.synthesize import synthesize

    root = out or synthetic_root(preset)
    show = counter()
    synthesize(
        root,
        datasets=None if datasets is None else tuple(d.strip() for d in datasets.split(",")),
        preset=preset,
        seed=seed,
        jobs=jobs,
        progress=lambda name, done, total: show(f"clips of {name}", done, total),
    )
    click.echo(f"synthetic data (not the real data sets) in {root}")


quarantine_option = click.option(
    "--quarantine",
    type=OLD_FILE,
    default=None,
    help="Clip ids to leave out, one a line.",
)


def one_data_set(f: Callable) -> Callable:
    """Which data set: its folder, as an argument or by ``--data-root``, or the one that holds it with ``--dataset``."""

    @functools.wraps(f)
    def call(root: Path | None, data_root: Path | None, dataset: str | None, **given: Any) -> Any:
        if (root is None) == (data_root is None):
            raise BadUsage("give the data set's folder once: ROOT, or --data-root DIR (with --dataset NAME below it)")
        return f(root=_place_of(root or data_root or Path(), dataset), **given)

    for option in (
        click.option("--dataset", default=None, metavar="NAME", help="Which, where the folder holds several."),
        click.option(
            "--data-root", type=FOLDER, default=None, help="Folder of the data set, or the one that holds it."
        ),
        click.argument("root", type=FOLDER, required=False),
    ):
        call = option(call)
    return call


def _place_of(root: Path, dataset: str | None) -> Path:
    """The folder of a data set that is there, or below, as for ``data verify``. BadUsage for an unknown name, and for
    none where there are several.
    """
    from harness.data.registry import clips_at, clips_below, data_set

    if dataset is None:
        below = clips_below(root)
        if len(below) > 1:
            raise BadUsage(f"{root}: holds {' and '.join(below)}; choose one with --dataset")
        return root / below[0] if below else root
    marker = data_set(dataset).marker
    place = root / dataset if not (root / marker).exists() and (root / dataset).is_dir() else root
    if (found := clips_at(place).name) != dataset:
        raise BadUsage(f"--dataset {dataset}: {place} holds {found}")
    return place


@command.command("sheet")
@one_data_set
@click.option("--out", type=NEW_FILE, default=Path("contact_sheet.png"), show_default=True)
@quarantine_option
def sheet(root: Path, out: Path, quarantine: Path | None) -> None:
    """A contact sheet PNG of one data set: gestures by modality and lighting, over time."""
    from harness.data.describe.contact_sheet import contact_sheet
    from harness.data.describe.readable import open_readable

    for line in contact_sheet(root, out, _of_its_clips(quarantine, root)):
        log.warning("left out: %s", line)
    if line := open_readable(root).unmade:
        log.info("note: %s", line)
    click.echo(str(out))


def _of_its_clips(quarantine: Path | None, root: Path) -> str:
    """A quarantine file, all of whose ids are clips of a data set; "" for none. BadUsage for one that is not."""
    if quarantine is None:
        return ""
    from harness.data.describe.readable import open_table
    from mtcd_plugin.formats.splits import quarantine_of

    table = open_table(root)
    try:
        quarantine_of(str(quarantine), {c.clip_id for c in table.clips}, table.name)
    except ValueError as e:
        raise BadUsage(f"--quarantine {e}") from None
    return str(quarantine)


@command.command("stats")
@one_data_set
@quarantine_option
@json_option(
    "{name, synthetic, clips, subjects, classes, clips_per_class, resolution, fps (both: what most clips have), "
    "other_resolution, other_fps (what others have, and how many), lengths, left_out, ...}"
)
def stats(root: Path, quarantine: Path | None, as_json: bool) -> None:
    """Statistics of one data set (paper, Table 1 and Figure 4).

    Light is measured on a sample of clips, sizes and rates on at most 200 of each modality; what of them cannot be read
    is under "left_out". `data verify` reads all.
    """
    from harness.data.describe.statistics import dataset_statistics
    from harness.data.registry import clips_at
    from harness.suite.configs import title_of_clips

    found = dataset_statistics(root, _of_its_clips(quarantine, root))
    counts = len(found["classes"]), found["subjects"]
    found["name"] = title_of_clips(clips_at(root).name, found["name"], found["synthetic"], *counts)
    if as_json:
        print_json(found)
        return
    for name, between in (("resolution", " x "), ("fps", "")):
        others = found.pop(f"other_{name}")
        found[name] = {m: with_others(_in_words(v, between), others.get(m, {})) for m, v in found[name].items()}
    lengths = sorted(found.pop("lengths"))
    found["frames"] = f"{lengths[0]} to {lengths[-1]}" if lengths else ""
    shown = {name: value for name, value in found.items() if value not in (None, "", {})}
    print_table([(name, _in_words(value)) for name, value in shown.items()])


def _in_words(value: object, between: str = ", ") -> str:
    """A value of the statistics in one line."""
    if isinstance(value, dict):
        return ", ".join((f"{name}: " if name else "") + _in_words(below, between) for name, below in value.items())
    if isinstance(value, list):
        return between.join(map(str, value)) or "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)


@command.command("verify")
@click.option("--dataset", required=True, metavar="NAME", help=f"One of {', '.join(BUILT_IN)}, or of your own package.")
@click.option(
    "--data-root",
    required=True,
    type=FOLDER,
    help="Folder of the data set, or the one that holds it.",
)
@json_option(
    "{dataset, name, root, synthetic, clips, files, decoded, counts, findings: a list of {clip_id, severity, check, "
    "message, remedy, unplannable}, refused: why no run can read the set, or empty}"
)
@click.option("--html", type=NEW_FILE, default=None, help="Write a page with the findings.")
@click.option(
    "--quarantine",
    type=NEW_FILE,
    default=None,
    help="Write the clips with errors; run --quarantine SET=FILE leaves them out.",
)
@jobs_option
def verify_command(
    dataset: str, data_root: Path, as_json: bool, html: Path | None, quarantine: Path | None, jobs: int | None
) -> int:
    """Decode every file and check it against the annotation. Exit code 1 where there are errors."""
    from harness.data.verify.dataset import verify_dataset, write_quarantine
    from harness.data.verify.page import findings_page, findings_text
    from harness.ledger.files import write_text_atomically
    from harness.system.environment import usable_cores

    outcome = verify_dataset(dataset, data_root, jobs or usable_cores(), partial(counter(), "files"))
    if html:
        write_text_atomically(html, findings_page(outcome))
    if quarantine:
        log.info("%s: %s to leave out", quarantine, count(write_quarantine(quarantine, outcome), "clip"))
    if as_json:
        print_json(outcome.as_json())
    else:
        click.echo(findings_text(outcome, quarantine))
    return 0 if outcome.sound else 1


@command.command("segment")
@click.argument("recordings", type=FOLDER)
@click.option("--dataset", default=None, metavar="NAME", help="In whose layout.  [default: the only one there is]")
@click.option("--out", required=True, type=NEW_FOLDER, help="Folder of the clips.")
@click.option("--min-frames", type=COUNT, default=45, show_default=True, help="Shortest clip, at 25 fps.")
@click.option("--max-frames", type=COUNT, default=210, show_default=True, help="Longest clip, at 25 fps.")
@click.option("--crf", type=click.IntRange(0, 51), default=18, show_default=True, help="Quality, 0 is lossless.")
@json_option(
    "{recordings, segments, clips, files_cut, files_kept, counts, findings: a list of {clip_id, severity, check, "
    "message, remedy, unplannable}, refused: why no run can read the set, or empty}"
)
@jobs_option
def segment_command(
    recordings: Path,
    dataset: str | None,
    out: Path,
    min_frames: int,
    max_frames: int,
    crf: int,
    as_json: bool,
    jobs: int | None,
) -> int:
    """Cut annotated recordings into synchronised clips of a data set. Goes on where it was stopped or killed.

    Exit code 1 where a line is malformed or a recording unreadable; what can be cut is cut.
    """
    from harness.data.registry import segmenter
    from harness.system.environment import usable_cores

    if min_frames > max_frames:
        raise BadUsage(f"--min-frames {min_frames}: is more than --max-frames {max_frames}")
    summary = segmenter(dataset)(
        recordings,
        out,
        processes=jobs or usable_cores(),
        shortest=min_frames,
        longest=max_frames,
        crf=crf,
        progress=partial(counter(), "files"),
    )
    if as_json:
        print_json(summary.as_json())
    else:
        click.echo(summary.as_text())
    return 0 if summary.sound else 1


command.add_command(cache)
