"""The shuffled teacher: outputs of the teachers for other clips, kept for controls."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from mtcd_plugin.models.distillers.teachers import TeacherOutput

SHUFFLES = ("none", "same_class", "random_class")


class ShuffledTeacherBank:
    """Gives every clip the teachers' outputs for another clip.

    It keeps their outputs for the latest clips of every class. The teachers are frozen, so that outputs of earlier
    steps are still theirs; only the augmentation differs.

    Args:
        shuffle: ``same_class``: another clip of the clip's own class; ``random_class``: a clip of another
            class.
        size: clips kept per class.
    """

    def __init__(self, shuffle: str, size: int = 8) -> None:
        if shuffle not in SHUFFLES[1:]:
            raise ValueError(f"shuffle '{shuffle}' is unknown; choose from {', '.join(SHUFFLES)}")
        self.shuffle, self.size = shuffle, size
        # class -> clip -> role -> z [P, D], logits [K]
        self.kept: dict[int, dict[str, dict[str, tuple[Tensor, Tensor]]]] = {}
        self.generator = torch.Generator().manual_seed(0)  # of its own: the student's random stream stays untouched

    def swap(self, outputs: dict[str, TeacherOutput], labels: list[int], clips: list[str]) -> dict[str, TeacherOutput]:
        """The outputs (by role) with the rows of other clips.

        A clip for which no other clip is known yet is marked as not present.
        """
        for i, (label, clip) in enumerate(zip(labels, clips, strict=True)):
            if all(bool(o.present[i]) for o in outputs.values()):
                own = self.kept.setdefault(label, {})
                own.pop(clip, None)  # re-inserted as the latest
                own[clip] = {r: (o.z[i].detach().clone(), o.logits[i].detach().clone()) for r, o in outputs.items()}
                if len(own) > self.size:
                    own.pop(next(iter(own)))
        others = [self._other(label, clip) for label, clip in zip(labels, clips, strict=True)]
        found = torch.tensor([other is not None for other in others])
        swapped = {}
        for role, o in outputs.items():
            rows = [(o.z[i], o.logits[i]) if other is None else other[role] for i, other in enumerate(others)]
            z, logits = (torch.stack([row[k] for row in rows]) for k in (0, 1))
            swapped[role] = replace(o, z=z, logits=logits, present=found.to(o.present.device))
        return swapped

    def state(self) -> dict:
        """All that later swaps depend on, on the CPU: clips in the order in which they came."""
        return {"kept": _moved(self.kept, torch.device("cpu")), "generator": self.generator.get_state()}

    def load_state(self, state: dict, device: torch.device) -> None:
        """Go on from what :meth:`state` gave."""
        self.kept = _moved(state["kept"], device)
        self.generator.set_state(state["generator"])

    def _other(self, label: int, clip: str) -> dict[str, tuple[Tensor, Tensor]] | None:
        """By role the outputs for a clip drawn from those that may take this clip's place; None if there is none."""
        if self.shuffle == "same_class":
            choices = [kept for name, kept in self.kept.get(label, {}).items() if name != clip]
        else:
            choices = [kept for other, clips in self.kept.items() if other != label for kept in clips.values()]
        if not choices:
            return None
        return choices[int(torch.randint(len(choices), (), generator=self.generator))]


def _moved(value, device: torch.device):
    """Tensors in nested dicts and tuples, on a device."""
    if isinstance(value, dict):
        return {key: _moved(item, device) for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(_moved(item, device) for item in value)
    return value.to(device)
