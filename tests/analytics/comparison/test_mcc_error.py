"""The interval of an MCC: its influence, its coverage, and where there is none."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

from analytics.comparison.intervals import Interval
from analytics.comparison.mcc_error import CELLS, CLASSES, mcc_interval

Integers = NDArray[np.int64]


def interval(labels: Integers, classes: Integers, images: Integers) -> Interval | None:
    counts = np.zeros((images.max() + 1, CELLS))
    np.add.at(counts, (images, labels * CLASSES + classes), 1)
    return mcc_interval(counts.sum(axis=0), counts.T @ counts, len(np.unique(images)))


def answers(
    generator: np.random.Generator, images: int, repeats: int, skill: float
) -> tuple[Integers, Integers, Integers]:
    """Repeats of an image share its label and most of whether they are right."""
    image = np.repeat(np.arange(images), repeats)
    label = generator.integers(0, 2, images)[image]
    hard = generator.normal(0, 1.5, images)[image]
    right = generator.random(len(image)) < 1 / (1 + np.exp(-(skill - hard)))
    return label, np.where(right, label, 1 - label), image


def test_as_a_bootstrap_over_images() -> None:
    generator = np.random.default_rng(1)
    label, answered, image = answers(generator, 400, 3, 1.0)
    answered[::50] = 2
    found = interval(label, answered, image)
    drawn = []
    for _ in range(1500):
        chosen = generator.integers(0, 400, 400)
        rows = (chosen[:, None] * 3 + np.arange(3)).ravel()
        drawn.append(matthews_corrcoef(label[rows], answered[rows]))
    assert found is not None
    assert found == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.015)


@pytest.mark.parametrize(
    ("images", "repeats", "skill"), [(30, 2, 1.5), (25, 1, 3.0), (100, 4, 0), (25, 1, 5)]
)
def test_holds_the_truth_as_often_as_it_says(images: int, repeats: int, skill: float) -> None:
    generator = np.random.default_rng(2)
    # the truth of a symmetric population: twice the chance of being right, less 1
    hard = generator.normal(0, 1.5, 200_000)
    truth = float(2 * (1 / (1 + np.exp(-(skill - hard)))).mean() - 1)
    found = [interval(*answers(generator, images, repeats, skill)) for _ in range(600)]
    held = [low <= truth <= high for low, high in filter(None, found)]
    assert len(held) > 550
    assert 0.92 < np.mean(held) < 0.985


def test_one_that_is_always_right_may_be_lucky() -> None:
    label = np.tile([0, 1], 10)
    found = interval(label, label, np.arange(20))
    assert found is not None
    assert found[1] == 1.0
    assert found[0] < 0.9


@pytest.mark.parametrize("label", [[0, 1] * 4, [1] * 20])
def test_none_for_few_images_or_one_label(label: list[int]) -> None:
    labels = np.array(label)
    assert interval(labels, labels, np.arange(len(label))) is None


def test_none_for_answers_of_one_class() -> None:
    labels = np.tile([0, 1], 10)
    assert interval(labels, np.ones(20, np.int64), np.arange(20)) is None
