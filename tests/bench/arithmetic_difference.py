"""How much a candidate's probability differs between the two arithmetics: not a speed.

`python -m tests.bench.arithmetic_difference STORE MODEL...` takes candidates by name and challenges
of a store; images that are equal by both arithmetics make no difference. Without arguments: the
orange baseline and a transformers model of random weights, on drawn scenes.
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers as t

import streetreplay  # noqa: F401  (offers this project's candidates by name)
from analytics.queries.challenges import ChallengeSelection
from data.sources.shards import Shards
from data.store import Store
from data.terminal import note, print_table
from replay.augmentation.augment import is_rotated
from replay.candidates.predictor import Batch, Predictor
from replay.candidates.registry import LoadSettings, load
from replay.plans.plan import Plan, Planned
from replay.plans.store_plan import plan_of_store
from replay.rebuilding.rebuild import Rebuilder, RebuiltImage
from replay.settings import Arithmetic, VariantSettings
from tests.bench.simulated_log import simulate_log

CHALLENGES, IMAGES = 200, 4


@dataclass(frozen=True)
class Pair:
    """An image that differs between the arithmetics, in their order.

    `challenge` is its challenge's index; `values` counts pixel values that differ.
    """

    challenge: int
    weight: float
    images: tuple[RebuiltImage, ...]
    values: int


def differing(turned: Sequence[Planned], shards: Shards) -> tuple[list[Pair], int]:
    """The images that differ between the arithmetics, and how many there are in all."""
    rebuilders = [Rebuilder(shards, arithmetic=arithmetic) for arithmetic in Arithmetic]
    pairs, count = [], 0
    for index, item in enumerate(turned):
        for variant in item.variants:
            count += 1
            images = tuple(rebuilder.rebuild(item.challenge, variant) for rebuilder in rebuilders)
            if values := int(np.count_nonzero(images[0].pixels != images[1].pixels)):
                pairs.append(Pair(index, variant.weight, images, values))
    return pairs, count


def differences(
    predictor: Predictor, pairs: Sequence[Pair], challenges: int
) -> npt.NDArray[np.float64]:
    """Absolute difference of each challenge's answer, the weighted mean over its images: (n,)."""
    images = [image.decoded() for pair in pairs for image in pair.images]
    # one image a batch: so that nothing but the image differs
    answers = np.array([predictor.predict(Batch([""], [image])).probability[0] for image in images])
    sums = np.zeros(challenges)
    for pair, (first, second) in zip(pairs, answers.reshape(-1, 2), strict=True):
        sums[pair.challenge] += pair.weight * (second - first)
    return np.abs(sums)


def random_vit(folder: Path) -> str:
    """A small transformers classifier of random weights, as a candidate's name."""
    torch.manual_seed(0)
    labels: Any = {"id2label": {0: "none", 1: "roadwork"}}
    config = t.ViTConfig(
        hidden_size=64,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=128,
        **labels,
        initializer_range=0.2,  # answers far from 0.5
    )
    t.ViTForImageClassification(config).save_pretrained(folder)
    t.ViTImageProcessor().save_pretrained(folder)
    return f"hf:{folder}"


def _turned(plan: Plan) -> Iterator[Planned]:
    for _, item in plan.in_reading_order():
        if item.variants and is_rotated(item.challenge.augmentation):
            yield item


def measure(store: Store, names: Sequence[str]) -> None:
    """Print one row for each candidate."""
    selection, variants = ChallengeSelection(levels=(1, 2, 3)), VariantSettings(IMAGES)
    planned, shards = plan_of_store(store, None, selection, variants)
    turned = list(islice(_turned(planned), CHALLENGES))
    pairs, images = differing(turned, shards)
    note(
        f"{len(pairs)} of {images} images of {len(turned)} turned challenges differ "
        f"(of {len({pair.challenge for pair in pairs})} challenges), in at most "
        f"{max((pair.values for pair in pairs), default=0)} values"
    )
    rows = []
    for name in names:
        moves = differences(load(name, LoadSettings(store)), pairs, len(turned))
        rows.append((name.rpartition("/")[2], len(turned), moves.max(), moves.mean()))
    print_table(
        "how far the other arithmetic moves a probability",
        ("candidate", "challenges", "most", "mean"),
        rows,
    )


def main(arguments: Sequence[str] = ()) -> None:
    """Measure what is named, or the two that need nothing."""
    with tempfile.TemporaryDirectory() as name:
        vit = random_vit(Path(name) / "vit")
        if arguments:
            measure(Store(Path(arguments[0])), [*arguments[1:], vit])
        else:
            measure(simulate_log(Path(name) / "world", 100, 300).store, ["orange", vit])


if __name__ == "__main__":
    main(sys.argv[1:])
