"""Whether an entry's starting weights can be loaded, as the runs of every profile would."""

from __future__ import annotations

from typing import Any

import mtcd_plugin.register  # noqa: F401  isort: skip  (its shims come before MMAction2)
from harness.measure.checks.declared import PROFILES, CheckFailed, EntryUnderCheck
from harness.measure.parts import construct
from harness.network.registered import NotRegistered
from harness.plan.resolve import resolve
from harness.plan.start import find_weights, start_from
from harness.suite.dotted import without
from mtcd_plugin.engine.hooks.starting_weights_hook import started_state
from mtcd_plugin.formats.checkpoint_errors import one_line
from mtcd_plugin.models.weights.init_cfg import load_given
from mtcd_plugin.models.weights.starting_weights import read_checkpoint


def starts(s: EntryUnderCheck) -> None:
    """Loads ``load_from``, ``init_cfg``, ``pretrained`` and, where a profile asks for it, what the metafile lists."""
    wrong: dict[str, str] = {}
    right: list[str] = []  # profiles at which the config's own setting can be loaded
    for profile in PROFILES:
        try:
            if _start(s, profile):
                right.append(profile)
        except NotRegistered:  # no fault of the weights: said where the network is built
            continue
        except (ValueError, OSError) as e:  # what the run's record would have as its failure
            wrong[profile] = one_line(e) + _remedy(s, profile)
    if not wrong:
        return
    line = f"at profile {' and '.join(wrong)}: {next(iter(wrong.values()))}"
    if right:
        setting = "load_from=..." if resolve(s.entry.config, right[0]).config.get("load_from") else "model=..."
        line += (
            f"; at profile {' and '.join(right)} they fit: to load them there alone, move the setting into "
            f"profiles = dict({right[0]}=dict({setting}))"
        )
    raise CheckFailed(line)


def _remedy(s: EntryUnderCheck, profile: str) -> str:
    """What else helps where weights that the metafile lists do not fit: they may be those of another network."""
    if s.init.get(profile) != "pretrained" or not s.entry.starts_at(profile):
        return ""
    where = s.entry.config.parent / "metafile.yml"
    return f"; if they are those of another network, take them out of Starting Weights in {where}"


def _start(s: EntryUnderCheck, profile: str) -> bool:
    """Load what a profile starts from. Returns whether that is what the config itself says, not the metafile."""
    resolved = resolve(s.entry.config, profile)
    inject_at: list[str] = []
    for parent in resolved.parents.values():
        inject_at += [parent["inject_at"]] if isinstance(parent["inject_at"], str) else parent["inject_at"]
    own = without(resolved.config, inject_at)
    config = start_from(s.entry, own, own, s.init.get(profile, "scratch"), profile)
    try:
        found = find_weights(config, s.entry)
    except FileNotFoundError as e:
        if config is own:
            raise
        s.notes.append(f"starting weights at profile {profile} were not tried: {e}")
        return False
    if found:
        _load(config)
    return bool(found) and config is own


def _load(config: dict[str, Any]) -> None:
    model = construct(config)
    for module in model.modules():
        load_given(module)
    if source := config.get("load_from"):
        started_state(model, read_checkpoint(source, "checkpoint"), source)
