"""The shuffled teacher: what other clips were taught, kept for controls."""

from __future__ import annotations

import torch
from torch import Tensor

SHUFFLES = ("none", "same_class", "random_class")


class PartnerBank:
    """Gives every clip what the frozen networks said about another clip.

    It keeps what they said about the latest clips of every class. They are frozen, so that what was said in
    earlier steps holds; only the augmentation differs.

    Args:
        shuffle: ``same_class``: another clip of the clip's own class; ``random_class``: a clip of another
            class.
        size: clips kept per class.
    """

    def __init__(self, shuffle: str, size: int = 8) -> None:
        if shuffle not in SHUFFLES[1:]:
            raise ValueError(f"shuffle '{shuffle}' is unknown; choose from {', '.join(SHUFFLES)}")
        self.shuffle, self.size = shuffle, size
        self.kept: dict[int, dict[str, dict]] = {}  # class -> clip -> role -> what was said
        self.generator = torch.Generator().manual_seed(0)  # of its own: the student's random stream stays untouched

    def swap(self, taught: dict[str, dict], labels: list[int], clips: list[str]) -> dict[str, dict]:
        """``taught`` (role -> dict(z [N, P, D], logits [N, K], present bool [N], ...)) with the rows of other
        clips.

        A clip for which no partner is known yet is marked as not present.
        """
        for i, (label, clip) in enumerate(zip(labels, clips, strict=True)):
            if all(bool(t["present"][i]) for t in taught.values()):
                own = self.kept.setdefault(label, {})
                own.pop(clip, None)  # re-inserted as the latest
                own[clip] = {
                    role: (t["z"][i].detach().clone(), t["logits"][i].detach().clone()) for role, t in taught.items()
                }
                if len(own) > self.size:
                    own.pop(next(iter(own)))
        partners = [self._partner(label, clip) for label, clip in zip(labels, clips, strict=True)]
        found = torch.tensor([p is not None for p in partners])
        swapped = {}
        for role, t in taught.items():
            rows = [(t["z"][i], t["logits"][i]) if p is None else p[role] for i, p in enumerate(partners)]
            z, logits = (torch.stack([row[k] for row in rows]) for k in (0, 1))
            swapped[role] = {**t, "z": z, "logits": logits, "present": found.to(t["present"].device)}
        return swapped

    def state(self) -> dict:
        """All that later swaps depend on, on the CPU: clips in the order in which they came."""
        return {"kept": _moved(self.kept, torch.device("cpu")), "generator": self.generator.get_state()}

    def load_state(self, state: dict, device: torch.device) -> None:
        """Go on from what :meth:`state` gave."""
        self.kept = _moved(state["kept"], device)
        self.generator.set_state(state["generator"])

    def _partner(self, label: int, clip: str) -> dict[str, tuple[Tensor, Tensor]] | None:
        if self.shuffle == "same_class":
            choices = [said for name, said in self.kept.get(label, {}).items() if name != clip]
        else:
            choices = [said for other, kept in self.kept.items() if other != label for said in kept.values()]
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
