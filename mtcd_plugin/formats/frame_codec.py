"""A clip's frames as compressed bytes: RGB as JPEG, one channel (depth, infrared) as PNG, which is lossless."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np

CODECS = ("raw", "jpeg")  # of a clip store, in the order in which they are looked for
JPEG = [
    cv2.IMWRITE_JPEG_QUALITY,
    95,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
    cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,  # frames of this size have no colour to spare
]


def encode(frames: Iterable[np.ndarray]) -> bytes:
    """Frames uint8 [h, w, 3 or 1] as one block: the number of bytes of each (uint32, little endian), then each frame's
    file. ``decode`` needs to be told how many there are.
    """
    files = [_encode(frame) for frame in frames]
    sizes = np.array([len(file) for file in files], dtype="<u4")
    return b"".join([sizes.tobytes(), *files])


def decode(block: np.ndarray, count: int, indices: Sequence[int] | np.ndarray) -> list[np.ndarray]:
    """Some of the ``count`` frames of a block (uint8 [bytes]): a list of uint8 [h, w, 3 or 1].

    Raises IndexError for a frame that is not there, ValueError for bytes that are no image.
    """
    ends = np.cumsum(block[: 4 * count].view("<u4"), dtype=np.int64) + 4 * count
    starts = np.concatenate([[4 * count], ends[:-1]])
    return [_decode(block[starts[i] : ends[i]]) for i in np.asarray(indices, dtype=np.int64)]


def _encode(frame: np.ndarray) -> bytes:
    if frame.shape[2] == 3:
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        done, file = cv2.imencode(".jpg", bgr, JPEG)
    else:
        done, file = cv2.imencode(".png", frame, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise ValueError(f"a frame of {list(frame.shape)} cannot be compressed")
    return file.tobytes()


def _decode(file: np.ndarray) -> np.ndarray:
    image = cv2.imdecode(file, cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ValueError("a frame is damaged; build the store anew")
    return image[..., None] if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
