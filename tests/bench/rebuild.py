"""Rebuilding against the plain chain of whole-frame calls that the validator itself makes."""

import io
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as F  # noqa: N812

from data.records import Augmentation, Geometry
from data.terminal import print_table, say
from replay.augment import SIDE, augment

SIZE = (1920, 1080)
REPEATS = 12
LEVEL_0 = Augmentation(geometry=Geometry.CROP, aug_level=0)


def _photograph() -> bytes:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (90, 160, 3), dtype=np.uint8))
    stream = io.BytesIO()
    coarse.resize(SIZE, Image.Resampling.BICUBIC).save(stream, format="JPEG")
    return stream.getvalue()


def _logged_like(rng: np.random.Generator) -> Augmentation:
    """A square crop of area 0.2 and up, as real logs hold them."""
    width, height = SIZE
    side = int(np.sqrt(rng.uniform(0.2, 1.0)) * height)
    return Augmentation(
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


def _milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def _decoded(raw: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(raw))
    image.load()
    return image


def main() -> None:
    """Print milliseconds a challenge, one core, and the ratios."""
    torch.set_num_threads(1)
    raw, rng = _photograph(), np.random.default_rng(1)
    rows = []
    for level in (0, 1):
        times: dict[str, list[float]] = {"decode": [], "plain": [], "ours": []}
        for _ in range(REPEATS):
            logged = LEVEL_0 if level == 0 else _logged_like(rng)
            image = _decoded(raw)
            if augment(image, logged).tobytes() != _plain(image, logged):
                raise SystemExit("the two chains differ: nothing to measure")
            times["decode"].append(_milliseconds(lambda: _decoded(raw)))
            times["plain"].append(_milliseconds(lambda i=image, a=logged: _plain(i, a)))  # type: ignore[misc]
            times["ours"].append(_milliseconds(lambda i=image, a=logged: augment(i, a)))  # type: ignore[misc]
        decode, plain, ours = (statistics.median(times[name]) for name in times)
        whole = (decode + plain) / (decode + ours)
        rows.append((level, decode, plain, ours, plain / ours, whole))
    say(f"{SIZE[0]} x {SIZE[1]} JPEG, medians of {REPEATS}, one core, milliseconds a challenge")
    columns = ("level", "decode", "plain chain", "ours", "ratio", "ratio with decoding")
    print_table("rebuild, from the cached image", columns, rows)
