"""``models check``: is a model entry sound? Built at every profile, trained at smoke on random clips,
without any data set.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from harness.measure.checks import declared, network
from harness.measure.checks.declared import CheckFailed, EntryUnderCheck, head_hint
from harness.measure.checks.start import starts
from harness.measure.parts import ParentWeights, quietly
from harness.network.registered import IMPORTABLE
from harness.plan.parents import is_fusion
from harness.plan.twins import Known
from harness.suite import Entry
from harness.system.slow import said_if_slow
from mtcd_plugin.formats.checkpoint_errors import one_line


@dataclass(frozen=True)
class Finding:
    """One check of one entry; ``remedy`` says what to change where it failed. Where it did not, it is a note."""

    entry: str
    what: str
    ok: bool
    remedy: str = ""


@dataclass(frozen=True)
class Check:
    """``hint`` completes the message of an exception that the entry's own code raised."""

    what: str
    run: Callable[[EntryUnderCheck], None]
    hint: str


def check_entries(
    chosen: Iterable[Entry],
    entries: dict[str, Entry],
    init: Mapping[str, str] | None = None,
    say: Callable[[str], object] = str,  # tells nobody
) -> Iterator[Finding]:
    """Every check of every chosen entry, in order. A failed check of an entry ends its own list, not the others'.

    Args:
        init: what training starts from at each profile, as the benchmark says; from scratch where it says nothing.
        say: gets a line on each check that takes more than a few seconds, while it does, from another thread.
    """
    # one thread: the networks are so small that several would wait for each other
    with quietly(threads=1), tempfile.TemporaryDirectory(prefix="harness-check-") as folder:
        weights, signatures = ParentWeights(entries, folder), Known()
        for entry in chosen:
            yield from _check(EntryUnderCheck(entry, weights, signatures, init=dict(init or {})), say)


def _check(subject: EntryUnderCheck, say: Callable[[str], object]) -> Iterator[Finding]:
    done: list[str] = []
    while len(done) < len(checks := _checks(subject)):
        check = checks[len(done)]
        try:
            with said_if_slow(say, f"checking {subject.entry.name}{_size(subject)}: {check.what}"):
                check.run(subject)
        except CheckFailed as e:
            yield Finding(subject.entry.name, check.what, False, str(e))
            return
        except Exception as e:  # noqa: BLE001  whatever an entry's code raises is a finding about it
            hint = head_hint(str(e), subject) or check.hint
            yield Finding(subject.entry.name, check.what, False, f"{one_line(e)}; {hint}")
            return
        done.append(check.what)
        yield Finding(subject.entry.name, check.what, True)
        yield from (Finding(subject.entry.name, check.what, True, note) for note in subject.notes)
        subject.notes = []


def _size(s: EntryUnderCheck) -> str:
    """How large the network is, once it is built."""
    return f" ({sum(p.numel() for p in s.model.parameters()) / 1e6:.3g} M parameters, on one core)" if s.built else ""


def _checks(s: EntryUnderCheck) -> list[Check]:
    """All that applies; whether a config trains is known once it is resolved."""
    file, metafile = s.entry.config.name, s.entry.config.parent / "metafile.yml"
    predicts, state, loss = "fix forward(mode='predict')", "fix the model's state_dict", "fix forward(mode='loss')"
    found = [
        Check("metafile is complete", declared.metafile_is_complete, f"fix {metafile}"),
        Check("config resolves at every profile", declared.resolves, f"fix {file}"),
        Check("custom imports are there", declared.imports_are_there, f"{IMPORTABLE}, or fix custom_imports of {file}"),
        Check("classes are registered", declared.names_registered_classes, f"fix {file}"),
        Check("code and twins are looked for", declared.looks_around, f"fix {file}"),
        Check("uses the modalities it declares", declared.reads_what_it_declares, f"fix the loaders of {file}"),
        Check("starting weights are loaded", starts, f"fix the starting weights of {file}"),
        Check("builds", network.builds, f"fix `model` of {file}; custom_imports names the module of a class of yours"),
    ]
    if not s.config:
        return found
    if s.entry.renders:
        found.append(Check("renders a clip", network.renders, predicts))
    recognizes, trains = s.entry.classifies, s.config.get("train_cfg") is not None
    if recognizes:
        hint = f"{predicts}, e.g. keep the axis of clips when squeezing"
        found.append(Check("predicts a batch of one", network.predicts_one, hint))
        if not is_fusion(s.parents):  # its parameters and FLOPs are those of its members
            found.append(Check("parameters and FLOPs are counted", network.is_counted, predicts))
    found.append(Check("fits together at every profile", network.builds_elsewhere, f"fix `model` of {file}"))
    if trains:
        hint = f"{loss}, or optim_wrapper of {file}"
        found.append(Check("one batch goes forward and backward", network.trains_a_step, hint))
        if recognizes:
            found.append(Check("saves, loads and predicts the same", network.saves_and_loads, state))
        found.append(Check("resumes to the same weights", network.resumes, state))
        if recognizes:
            found.append(Check("overfits one small batch", network.overfits, loss))
    return found
