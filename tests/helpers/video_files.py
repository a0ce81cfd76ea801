"""Small video files of every kind that a camera or a disk may leave, made with PyAV."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange

TICK = Fraction(1, 600)  # of 25, 30 and 15 frames per second, a whole number


def corners(width: int = 64, height: int = 48) -> np.ndarray:
    """A picture, uint8 [h, w, 3], that looks different in each of its eight orientations."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = 250, 0, 0
    image[: height // 2, width // 2 :] = 0, 250, 0
    image[height // 2 :, : width // 2] = 0, 0, 250
    image[height // 2 :, width // 2 :] = 250, 250, 250
    return image


def texture(count: int, width: int = 96, height: int = 64, seed: int = 0) -> np.ndarray:
    """Smooth moving texture, uint8 [count, h, w, 3]."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    image = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    return np.stack([np.roll(image, (i, 2 * i), (0, 1)) for i in range(count)])


def write(path: Path, images, seconds=None, codec="libx264", pixels="yuv420p", turn=None, **options) -> str:
    """Encode RGB images [n, h, w, 3], frame i at ``seconds[i]`` (default: 25 frames/s). ``turn`` is what
    ``set_display_rotation`` takes. Returns the path."""
    with av.open(str(path), "w") as container:
        stream = add_stream(container, images, codec, pixels, turn, seconds is not None, **options)
        fill(container, stream, images, seconds)
    return str(path)


def add_stream(container, images, codec="libx264", pixels="yuv420p", turn=None, timed=False, **options):
    """A stream for these images. All streams of a container must be there before one is filled."""
    stream = container.add_stream(codec, rate=25)
    stream.height, stream.width = images[0].shape[:2]
    stream.pix_fmt = pixels
    stream.codec_context.thread_count = 1
    if pixels.startswith("yuvj"):
        stream.codec_context.color_range = ColorRange.JPEG
    if timed:
        stream.codec_context.time_base = stream.time_base = TICK
    stream.options = {name: str(value) for name, value in options.items()}
    if turn:
        stream.set_display_rotation(*turn)
    return stream


def fill(container, stream, images, seconds=None) -> None:
    for number, image in enumerate(images):
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        if seconds is not None:
            frame.pts, frame.time_base = round(seconds[number] / TICK), TICK
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def flip_bits(path: str | Path, count: int, seed: int) -> None:
    """Flip bits in the second halves of packets of a file: the headers of the file and of its frames stay."""
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(container.streams.video[0]) if p.size]
    data = bytearray(Path(path).read_bytes())
    rng = np.random.default_rng(seed)
    for _ in range(count):
        position, size = packets[rng.integers(len(packets))]
        place = position + int(rng.integers(size // 2, size))
        data[place] ^= 1 << int(rng.integers(8))
    Path(path).write_bytes(data)
