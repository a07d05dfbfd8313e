"""Rows of a replay's parts: what a predictor answered, checked, or why there is no answer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from data.errors import RunError
from replay.candidates.predictor import Predictions
from replay.plans.plan import Planned
from replay.rebuilding.variants import Variant
from replay.runs.image_workers import PlannedImage

Row = dict[str, Any]


def answer_rows(wanted: Sequence[PlannedImage], answers: Predictions, name: str) -> list[Row]:
    """One row an image.

    Args:
        wanted: the images that were asked about.
        answers: what the predictor of that `name` said.

    Raises:
        RunError: it is not one probability each, or the gates are none in 0..1 of that number.
    """
    if len(answers.probability) != len(wanted):
        found, expected = len(answers.probability), f"{len(wanted)}, one each"
        raise RunError(f"answers of {name}", found=found, expected=expected)
    gates = _gates(answers, len(wanted), name)
    return [
        row_of(item, variant, _probability(value, name), opened)
        for (item, variant), value, opened in zip(wanted, answers.probability, gates, strict=True)
    ]


def row_of(
    item: Planned,
    variant: Variant | None = None,
    probability: float | None = None,
    gates: list[float] | None = None,
) -> Row:
    """A row of `runs.PART_SCHEMA`; without an answer where there is no image."""
    return {
        "challenge_id": item.challenge.challenge_id,
        "fidelity": item.fidelity,
        "reason": item.reason,
        "variant": None if variant is None else variant.index,
        "weight": None if variant is None else variant.weight,
        "noisy": None if variant is None else variant.noisy,
        "probability": probability,
        "gates": gates,
    }


def in_order(part: Sequence[Planned], rows: Sequence[Row]) -> list[Row]:
    """Rows of a part, however they came about, in one order: those without an answer first."""
    places = {
        (item.challenge.challenge_id, variant): (place, number)
        for place, item in enumerate(part)
        for number, variant in enumerate((None, *(one.index for one in item.variants)))
    }
    return sorted(
        rows,
        key=lambda row: (
            row["probability"] is not None,
            places[row["challenge_id"], row["variant"]],
        ),
    )


def _probability(given: float, name: str) -> float:
    value = float(given)
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise RunError(f"answer of {name}", found=value, expected="a probability in 0..1")
    return value


def _gates(answers: Predictions, count: int, name: str) -> Sequence[list[float] | None]:
    if answers.gates is None:
        return [None] * count
    gates = np.asarray(answers.gates, np.float32)
    if gates.ndim != 2 or len(gates) != count:  # noqa: PLR2004
        found, expected = f"shape {gates.shape}", f"({count}, views)"
        raise RunError(f"gates of {name}", found=found, expected=expected)
    if not ((gates >= 0) & (gates <= 1)).all():
        raise RunError(f"gates of {name}", found="values outside 0..1", expected="0..1")
    rows: list[list[float]] = gates.tolist()
    return rows
