"""The backbone of a trained network as a file of starting weights: half precision, without class layer."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from harness.ledger.files import atomic_replace, sha256_of, write_text_atomically
from harness.ledger.run_dir import CHECKPOINT
from harness.plan.pretrain import Network, about, accuracies_by_modality, with_sha256
from harness.plan.run_state import folder_of, look_up
from harness.plan.workspace import Workspace
from mtcd_plugin.models.weights.starting_weights import read_checkpoint_file, tensors_of

PREFIX = "backbone."


def write_weights(network: Network, ws: Workspace, key: str | None, work_dir: Path, out: Path | None) -> list[str]:
    """Write the file of a network whose run is done, and its sha256 into the metafiles that list it; what to print.

    Args:
        key: of its run, None where it could not be planned. out: another folder for the file; metafiles stay then.
    """
    record = look_up(ws.plan.jobs[key], work_dir).record if key else None
    if key is None or record is None or record.status != "done":
        return [f"{network.file}: not written, its run is not done"]
    folder = folder_of(ws.plan.jobs[key], work_dir)
    path = out / Path(network.file).name if out else network.path
    sha256 = write_backbone(folder / CHECKPOINT, path, about(record))
    listing = {e.config.parent / "metafile.yml" for e in ws.entries.values() if e.starts_at(ws.settings.profile)}
    for metafile in () if out else sorted(listing):
        text = metafile.read_text(encoding="utf-8")
        if (changed := with_sha256(text, network.file, sha256)) != text:
            write_text_atomically(metafile, changed)
    shares = ", ".join(f"{m} {100 * share:.1f} %" for m, share in accuracies_by_modality(folder).items())
    found = [
        f"{network.file}: top-1 {shares} on held-out people of the synthetic source set",
        f"  {path}: {path.stat().st_size} bytes, {record.cost.train_seconds or 0:.0f} s",
        f'  SHA256: "{sha256}"',
    ]
    if network.listed:
        return found
    where = f"Profile: {ws.settings.profile}, File: {network.file}, SHA256: as above, Into: model.backbone"
    return [*found, f"  not listed yet: add it to Starting Weights in {network.folder}/metafile.yml: {where}"]


def write_backbone(checkpoint: Path, out: Path, meta: dict[str, Any]) -> str:
    """Write the weights of a recognizer's backbone, by its own names; returns the file's sha256.

    The file is ``dict(state_dict=..., meta=...)`` of tensors, text and numbers, for ``weights_only=True``.

    Raises:
        ValueError: no readable checkpoint, none of a recognizer, or a weight that half precision cannot hold.
    """
    given = tensors_of(read_checkpoint_file(checkpoint, "checkpoint"))
    state = {
        name.removeprefix(PREFIX): value.half() if value.is_floating_point() else value
        for name, value in given.items()
        if name.startswith(PREFIX)
    }
    if not state:
        raise ValueError(f"{checkpoint}: none of its weights begins with '{PREFIX}'")
    for name, value in state.items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{checkpoint}: {PREFIX}{name} does not fit into half precision")
    out.parent.mkdir(parents=True, exist_ok=True)
    content = BytesIO()  # torch writes the name of a file into it, and this one's is drawn
    torch.save({"state_dict": state, "meta": meta}, content)
    with atomic_replace(out) as beside:
        beside.write_bytes(content.getvalue())
    return sha256_of(out)
