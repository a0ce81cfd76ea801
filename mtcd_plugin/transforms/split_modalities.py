"""One list of frames per modality again."""

from __future__ import annotations

from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform


@TRANSFORMS.register_module()
class SplitModalities(BaseTransform):
    """Undo the stacking of ``LoadModalities`` after the spatial transforms.

    Required keys: ``imgs modality_slices``; ``imgs`` may hold several crops, crop after crop (ThreeCrop).
    Added keys: one list of frames per modality, under its name, crop after crop; ``num_crops``.
    Removed key: ``imgs``.
    """

    def transform(self, results: dict) -> dict:
        images = results.pop("imgs")
        slices = results["modality_slices"]
        length = max(end for _, end in slices.values())
        crops, rest = divmod(len(images), length)
        if rest:
            raise ValueError(f"SplitModalities: {len(images)} frames are no multiple of the {length} that were loaded")
        for name, (start, end) in slices.items():
            results[name] = [
                image for crop in range(crops) for image in images[crop * length + start : crop * length + end]
            ]
        results["num_crops"] = crops
        return results

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
