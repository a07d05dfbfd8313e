"""The golden images of levels 0 and 1 by both arithmetics, and what the orange baseline answers.

`python -m tests.worlds.golden_images THREADS` prints them as JSON: for tests that start it under
other environments. torch is imported first, as nothing may hang on what it is built with.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from data.records.media_record import read_challenge
from data.records.types import Challenge, Origin
from data.sources.cached_image import cached_image
from data.sources.shards import Shards
from model.baselines.orange import OrangeBaseline
from replay.augmentation.augment import Pixels, augment
from replay.augmentation.self_check import check_this_machine
from replay.candidates.predictor import Batch
from replay.rebuilding.rebuild import pixels_sha256
from replay.settings import Arithmetic
from tests.conftest import GOLDEN, golden_expected, golden_records

ERAS = ("e7", "e5", "e9")


@dataclass(frozen=True)
class GoldenImage:
    """One image of level 0 or 1 as we build it, and the SHA-256 that its pixels must have."""

    era: str
    level: int
    pixels: dict[Arithmetic, Pixels]
    expected: dict[Arithmetic, str]
    values_differing: int | None

    @property
    def equal(self) -> dict[Arithmetic, bool]:
        return {one: pixels_sha256(self.pixels[one]) == self.expected[one] for one in Arithmetic}


def by_processor(era: str) -> dict[int, dict[str, Any]]:
    """What both kinds of processor make of a challenge; nothing of e9, equal on either."""
    path = GOLDEN / era / "expected_by_processor.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {one["challenge"]: one for one in map(json.loads, lines)}


def golden_images(levels: tuple[int, ...] = (0, 1)) -> Iterator[GoldenImage]:
    """Every one of these levels, of all eras."""
    for era in ERAS:
        records, shards = golden_records(GOLDEN, era), Shards(GOLDEN / era / "sources")
        told = by_processor(era)
        for want in golden_expected(GOLDEN, era):
            if want["level"] not in levels:
                continue
            number = want["challenge"]
            challenge = read_challenge(records[number], Origin("x", 0)).challenge
            both = told.get(number, {})
            expected = {
                one: both.get(f"pixels_sha256_{one}", want["pixels_sha256"]) for one in Arithmetic
            }
            pixels = _built(challenge, shards)
            yield GoldenImage(era, want["level"], pixels, expected, both.get("values_differing"))


def _built(challenge: Challenge, shards: Shards) -> dict[Arithmetic, Pixels]:
    source = challenge.source
    image = cached_image(shards.read(source.parquet or "", source.row or 0).image)
    return {one: augment(image, challenge.augmentation, arithmetic=one) for one in Arithmetic}


def orange_answers(images: list[Pixels]) -> list[str]:
    """Bit for bit."""
    batch = Batch([""] * len(images), images)
    return [value.hex() for value in OrangeBaseline().predict(batch).probability.tolist()]


def main(threads: int) -> None:
    torch.set_num_threads(threads)
    check_this_machine()
    images = list(golden_images((1,)))
    answers = [orange_answers([one.pixels[a] for one in images]) for a in Arithmetic]
    json.dump({"equal": [one.equal for one in images], "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main(int(sys.argv[1]))
