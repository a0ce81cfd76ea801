"""Data sets in the true layouts whose every file is different, and sets with one defect per clip.

Files are real H.264 videos of 32 x 24 pixels; the brightness of frames is drawn per file.
"""

import csv
import os
import zlib
from pathlib import Path

import av
import numpy as np

from harness.data.verify.videos import scan_video
from mtcd_plugin.formats.nvgesture import LIST_FILES, STREAMS
from mtcd_plugin.formats.video import write_video
from tests.helpers.tiny_data import nv_line, write_log, write_mgr_dark_tables

GESTURES = ("forward", "backward", "stop")
SUBJECTS = {"s1": "train", "s2": "train", "s3": "train", "s4": "test"}
FRAMES = 48
LEVELS = {"dark": (4, 20), "daylight": (90, 200)}


def frames(name: str, count: int, low: int = 30, high: int = 220, size=(32, 24)) -> np.ndarray:
    """uint8 [count, h, w, 1]: each frame of one level, drawn by the name of the file."""
    levels = np.random.default_rng(zlib.crc32(name.encode())).integers(low, high, count)
    return np.broadcast_to(levels.astype(np.uint8)[:, None, None, None], (count, size[1], size[0], 1))


def mgr_dark_rows() -> list[dict]:
    rows = []
    for lighting in LEVELS:
        for subject in SUBJECTS:
            for gesture in GESTURES:
                clip_id = f"{subject}_{gesture}_{lighting}"
                row = dict(clip_id=clip_id, pair_id=f"{subject}_{gesture}", subject=subject, scene="hall")
                row |= dict(gesture=gesture, lighting=lighting)
                for name in ("rgb", "depth", "ir"):
                    row[f"{name}_file"] = f"clips/{lighting}/{name}/{gesture}/{clip_id}.mp4"
                    row |= {f"{name}_fps": 25, f"{name}_start": 0, f"{name}_end": FRAMES}
                rows.append(row)
    return rows


def write_sound_mgr_dark(root: Path) -> list[dict]:
    """12 pairs, nothing wrong. Returns the rows of the annotation."""
    rows = mgr_dark_rows()
    for row in rows:
        for name in ("rgb", "depth", "ir"):
            low, high = LEVELS[row["lighting"]] if name == "rgb" else (30, 220)
            file = row[f"{name}_file"]
            write_video(str(root / file), frames(file, FRAMES, low, high), 25, crf=0)
    write_mgr_dark_tables(root, rows, SUBJECTS, GESTURES)
    return rows


def spoil_mgr_dark(root: Path, rows: list[dict]) -> set[tuple[str, str, str]]:
    """Put every defect into a sound set. Returns (clip id, severity, check) of what is now to be found."""
    by_id = {row["clip_id"]: row for row in rows}

    def file(clip_id: str, name: str = "rgb") -> Path:
        return root / by_id[clip_id][f"{name}_file"]

    truncate(file("s1_forward_dark"))
    file("s1_backward_dark", "depth").write_bytes(b"")
    file("s1_stop_dark", "ir").write_text("not a video\n" * 100)
    file("s2_forward_dark").unlink()
    write_mpeg4(file("s2_backward_dark"), frames("mpeg4", FRAMES, *LEVELS["dark"]))
    by_id["s2_stop_dark"]["rgb_end"] = FRAMES + 12
    by_id["s3_forward_dark"]["ir_end"] = FRAMES + 2
    by_id["s3_backward_dark"]["ir_file"] = ""
    file("s3_stop_dark").write_bytes(file("s4_stop_dark").read_bytes())
    dark, day = file("s4_forward_dark"), file("s4_forward_daylight")
    swapped = dark.read_bytes(), day.read_bytes()
    day.write_bytes(swapped[0]), dark.write_bytes(swapped[1])
    by_id["s4_backward_dark"] |= {f"{name}_end": 40 for name in ("rgb", "depth", "ir")}
    by_id["s1_forward_daylight"]["ir_fps"] = 31
    big = file("s2_forward_daylight", "depth")
    write_video(str(big), frames("big", FRAMES, size=(64, 24)), 25, crf=0)
    write_mgr_dark_tables(root, [*rows, by_id["s1_stop_daylight"]], SUBJECTS, GESTURES)
    good = list(by_id["s1_stop_daylight"].values())
    with open(root / "annotations.csv", "a", newline="") as stream:
        stream.write("only,three,fields\n")
        stream.write('"an open quote,' + ",".join(map(str, good[1:])) + "\n")
        lines = csv.writer(stream)
        lines.writerow(["x_label", *good[1:4], "juggle", *good[5:]])
        lines.writerow(["x_fps", *good[1:7], "fast", *good[8:]])
        lines.writerow(["x_window", *good[1:8], "9", "9", *good[10:]])
    with open(root / "subjects.csv", "a") as stream:
        stream.write("s1,test\ns9,validation\n")
    return {
        ("s1_forward_dark", "error", "decode"),
        ("s1_backward_dark", "error", "decode"),
        ("s1_stop_dark", "error", "decode"),
        ("s2_forward_dark", "error", "file"),
        ("s2_backward_dark", "warning", "codec"),
        ("s2_stop_dark", "error", "window"),
        ("s2_stop_dark", "warning", "overlap"),
        ("s3_forward_dark", "warning", "window"),
        ("s3_backward_dark", "error", "missing stream"),
        ("s3_stop_dark", "error", "copy"),
        ("s4_forward_dark", "error", "dark"),
        ("s4_backward_dark", "warning", "length"),
        ("s1_forward_daylight", "warning", "rate"),
        ("s2_forward_daylight", "warning", "size"),
        ("s1_stop_daylight", "error", "duplicate id"),
        ("", "error", "annotation"),
        ("x_label", "error", "label"),
        ("x_fps", "error", "annotation"),
        ("x_window", "error", "annotation"),
        ("", "error", "splits"),
    }


NV_CLIPS = {
    "train": [(f"class_{n:02d}", f"subject{3 + n % 2}_r{n}", n) for n in range(1, 9)],
    "test": [("class_01", "subject5_r0", 1), ("class_25", "subject8_r2", 25)],
}


def write_sound_nvgesture(root: Path) -> None:
    """Ten clips, all five streams, true windows, rates and logs; nothing wrong but classes without clips."""
    root.mkdir(parents=True, exist_ok=True)
    for split, clips in NV_CLIPS.items():
        lines = [nv_line(*clip) for clip in clips]
        (root / LIST_FILES["v2"].format(split=split)).write_text("\n".join(lines) + "\n")
        for folder, take, _ in clips:
            base = root / "Video_data" / folder / take
            for name, (fps, _) in STREAMS.items():
                count = 110 if fps == 30 else 128
                write_video(str(base / f"{name}.avi"), frames(f"{folder}{take}{name}", count), fps, crf=0)
                write_log(base / f"{name}_log.txt", np.arange(count) / fps)


def spoil_nvgesture(root: Path) -> set[tuple[str, str, str]]:
    """Put every defect of lists, logs and AVI files into a sound set; as ``spoil_mgr_dark``."""
    ids = [f"{folder}/{take}" for folder, take, _ in NV_CLIPS["train"]]

    def base(number: int) -> Path:
        return root / "Video_data" / ids[number]

    seconds = np.arange(128) / 35
    write_log(base(0) / "duo_left_log.txt", seconds + (np.arange(128) >= 60) * 0.4)  # a gap
    write_log(base(1) / "sk_color_log.txt", np.arange(110)[[*range(50), 51, 50, *range(52, 110)]] / 30)  # out of order
    (base(2) / "duo_left_log.txt").write_text("")
    (base(3) / "sk_depth_log.txt").unlink()
    truncate(base(4) / "sk_color.avi")
    (base(5) / "sk_wrapped.avi").unlink()  # not read by default
    write_log(base(6) / "duo_left_log.txt", seconds + 1000)  # another clock
    path = root / LIST_FILES["v2"].format(split="train")
    lines = path.read_text().splitlines()
    lines[7] = lines[7].replace("duo_left:duo_left:23:116", "duo_left:duo_left:43:136")
    lines += ["nonsense", nv_line("class_09", "subject3_r9", 26), lines[0]]
    lines += [nv_line("class_09", "subject3_r8", 9, colour=(100, 20))]
    path.write_text("\n".join(lines))  # no final newline
    path = root / LIST_FILES["v2"].format(split="test")
    path.write_text(path.read_text() + nv_line("class_02", "subject3_r7", 2))  # a training subject, without files
    log = (base(7) / "sk_color_log.txt").read_text()
    (base(7) / "sk_color_log.txt").write_text("\n" + log)  # a blank line
    return {
        (ids[0], "warning", "log"),
        (ids[0], "warning", "overlap"),
        (ids[1], "warning", "log"),
        (ids[2], "warning", "log"),
        (ids[3], "warning", "log"),
        (ids[4], "error", "decode"),
        (ids[4], "warning", "log"),
        (ids[5], "warning", "file"),
        (ids[6], "error", "overlap"),
        (ids[7], "error", "window"),
        (ids[7], "warning", "log"),
        (ids[7], "warning", "window"),  # duo_right follows duo_left, and is not read by default
        ("", "warning", "class balance"),
        ("", "error", "annotation"),
        ("class_09/subject3_r9", "error", "label"),
        (ids[0], "error", "duplicate id"),
        ("class_09/subject3_r8", "error", "annotation"),
        ("", "error", "splits"),
        ("class_02/subject3_r7", "error", "file"),
        ("class_02/subject3_r7", "warning", "file"),
        ("class_02/subject3_r7", "warning", "log"),
    }


def truncate(path: Path, share: float = 0.5) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])


def write_mpeg4(path: Path, images: np.ndarray) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image[..., 0].copy(), format="gray")))
        container.mux(stream.encode())


def scan_or_die(path: str, windows=()):
    """Stands in for the decoder: a file named deadly ends the process."""
    if "deadly" in path:
        os._exit(9)
    return scan_video(path, windows)
