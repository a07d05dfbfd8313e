"""Speed of rebuilding an image, against the torchvision calls that the validator makes.

`whole` is from a file's bytes: the plain chain decodes the image, ours what the crop needs of it.
"""

import io
import statistics
import time
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from data.records.types import Augmentation, Geometry
from data.terminal import print_table
from replay.augmentation.augment import SIDE, augment
from replay.image_regions.frames import SourceFrame
from replay.settings import Arithmetic

Size = tuple[int, int]
Times = dict[str, list[float]]
"""Milliseconds of every repeat, by what was done."""

# the two sizes that the data set is mostly made of, and how many crops of each
REPEATS = {(1920, 1080): 25, (4032, 3024): 9}
LEVEL_0 = Augmentation(geometry=Geometry.CROP, aug_level=0)


def photograph(size: Size) -> bytes:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (90, 160, 3), dtype=np.uint8))
    stream = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).save(stream, format="JPEG")
    return stream.getvalue()


def crops(size: Size, seed: int) -> Iterator[Augmentation]:
    """Level 1 with a square crop of area 0.2 and up, as real logs hold them; without end."""
    width, height = size
    rng = np.random.default_rng(seed)
    while True:
        side = int(np.sqrt(rng.uniform(0.2, 1.0)) * height)
        yield Augmentation(
            geometry=Geometry.CROP,
            aug_level=1,
            angle=float(rng.uniform(-20, 20)),
            crop_top=int(rng.integers(0, height - side + 1)),
            crop_left=int(rng.integers(0, width - side + 1)),
            crop_height=side,
            crop_width=side,
        )


def _plain(image: Image.Image, logged: Augmentation) -> bytes:
    image = image.convert("RGB")
    if logged.aug_level == 0:
        small = F.resize(F.center_crop(image, [min(image.size)] * 2), [SIDE, SIDE])
        return np.asarray(F.to_pil_image(F.to_tensor(small))).tobytes()
    tensor = F.rotate(F.to_tensor(image), logged.angle)
    box = (logged.crop_top, logged.crop_left, logged.crop_height, logged.crop_width)
    tensor = F.resized_crop(tensor, *box, size=[SIDE, SIDE], antialias=True)
    return np.asarray(F.to_pil_image(tensor)).tobytes()


def decode_jpeg(raw: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(raw))
    image.load()
    return image


def _cached(raw: bytes) -> Image.Image:
    """Decode, encode, decode: what no way from a source row to a cached image can leave out."""
    stream = io.BytesIO()
    decode_jpeg(raw).save(stream, format="JPEG")
    return decode_jpeg(stream.getvalue())


def milliseconds(work: Callable[[], object]) -> float:
    """Of processor time, which other work on the machine disturbs less than the clock's."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def _measure(raw: bytes, image: Image.Image, logged: Augmentation, times: Times) -> None:
    """Time everything on one crop, one after the other, so that all see the same machine.

    Raises:
        SystemExit: the chain here is neither of the two that validators have, or ours not one.
    """
    ours = [augment(image, logged, arithmetic=arithmetic).tobytes() for arithmetic in Arithmetic]
    if augment(SourceFrame(raw, from_cache=True), logged).tobytes() != ours[0]:
        raise SystemExit("a part is decoded otherwise than the whole")
    if _plain(image, logged) not in ours:
        raise SystemExit("torchvision differs from both arithmetics here: nothing to measure")
    works: dict[str, Callable[[], object]] = {
        "decode": lambda: decode_jpeg(raw),
        "plain": lambda: _plain(image, logged),
        "ours": lambda: augment(image, logged),
        "ours avx512": lambda: augment(image, logged, arithmetic=Arithmetic.AVX512),
        "plain with decoding": lambda: _plain(decode_jpeg(raw), logged),
        "ours with decoding": lambda: augment(SourceFrame(raw, from_cache=True), logged),
        "bare row": lambda: _cached(raw),
        "row": lambda: augment(SourceFrame(raw, from_cache=False), logged),
    }
    for name, work in works.items():
        times.setdefault(name, []).append(milliseconds(work))


def _medians(raw: bytes, image: Image.Image, level: int, repeats: int) -> dict[str, float]:
    times: Times = {}
    drawn = crops(image.size, seed=level)
    for _ in range(repeats):
        _measure(raw, image, LEVEL_0 if level == 0 else next(drawn), times)
    return {name: statistics.median(repeats_ms) for name, repeats_ms in times.items()}


def _print(size: Size, levels: dict[str, dict[str, float]], repeats: int) -> None:
    title = f"{size[0]} x {size[1]} JPEG, one core, milliseconds, medians of {repeats}"
    print_table(
        f"{title}: from the cached image",
        (
            "level",
            "decode",
            "plain",
            "ours",
            "ratio",
            "avx512",
            "ratio",
            "plain whole",
            "ours whole",
            "ratio whole",
            "times decode",
        ),
        [
            (
                level,
                t["decode"],
                t["plain"],
                t["ours"],
                t["plain"] / t["ours"],
                t["ours avx512"],
                t["plain"] / t["ours avx512"],
                t["plain with decoding"],
                t["ours with decoding"],
                t["plain with decoding"] / t["ours with decoding"],
                t["ours with decoding"] / t["decode"],
            )
            for level, t in levels.items()
        ],
    )
    print_table(
        f"{title}: from the source row",
        ("level", "decode, encode, decode", "and rebuild", "times the bare"),
        [(level, t["bare row"], t["row"], t["row"] / t["bare row"]) for level, t in levels.items()],
    )


def main() -> None:
    """Print milliseconds a challenge, one core, and the ratios."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    for size, repeats in REPEATS.items():
        raw = photograph(size)
        image = decode_jpeg(raw)
        levels = {str(level): _medians(raw, image, level, repeats) for level in (0, 1)}
        names = levels["0"]
        levels["mean"] = {name: (levels["0"][name] + levels["1"][name]) / 2 for name in names}
        _print(size, levels, repeats)
