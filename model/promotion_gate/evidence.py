"""Evidence for the gate: what champion and challenger answered to the same challenges."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analytics.comparison.paired_answers import Answers, Challenges
from analytics.scoring.metrics import Floats
from model.promotion_gate.guarded_slices import Membership

REWARD, MCC = "reward", "mcc"
"""What the gate compares: reward in miners' places where they are logged, else MCC."""

_DIGITS = 16
"""Hexadecimal digits of an image's hash: enough to tell millions apart."""


@dataclass(frozen=True)
class GateSet:
    """The challenges that a gate looks at, by hashes.

    Attributes:
        sha256: of all its challenges; equal for equal sets, in whatever order.
        images: of each of its source images; two gate sets with a common one are not independent.
    """

    sha256: str
    images: frozenset[str]


def gate_set(challenge_ids: Iterable[str], image_names: Iterable[str]) -> GateSet:
    """The gate set of these challenges, made of these source images (`SHARD:ROW`)."""
    ids = json.dumps(sorted(challenge_ids))
    return GateSet(
        hashlib.sha256(ids.encode()).hexdigest(),
        frozenset(_image_hash(name) for name in image_names),
    )


def _image_hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


@dataclass(frozen=True)
class Evidence:
    """The answers of champion and challenger to C challenges that neither was trained on.

    Attributes:
        champion: the challenges, with the champion's answers.
        challenger: the same challenges, with the challenger's.
        places: who was asked what: both are scored in each of these miners' places; what the miners
            answered does not matter. None: nobody was asked (source rows), and MCC is compared.
        slices: that are guarded: (C,) flags by field and value.
        positions: latitude and longitude of each challenge, degrees, (C, 2), NaN where unknown;
            None: nobody asked for them.
        small_slices: by field, how many values have too few challenges to be one.
        gate_set: which challenges these are.
        champion_id: tells champions apart, such as the id of its replay.
        challenger_id: tells challengers apart.
        left_out: counts of the other challenges, by reason.
        training_unknown: the sides ("champion", "challenger") whose training rows are not known,
            so that an overlap with them could not be left out.

    Raises:
        ValueError: no challenge, or the two sides are of different ones.
    """

    champion: Challenges
    challenger: Challenges
    places: Answers | None
    slices: Sequence[Membership]
    gate_set: GateSet
    champion_id: str
    challenger_id: str
    positions: Floats | None = None
    small_slices: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    training_unknown: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.champion.count:
            raise ValueError("evidence without a challenge")
        for name in ("labels", "images", "exponents", "lives"):
            if not np.array_equal(getattr(self.champion, name), getattr(self.challenger, name)):
                raise ValueError(f"{name} of champion and challenger differ")

    @property
    def statistic(self) -> str:
        """What is compared: reward or mcc."""
        return MCC if self.places is None else REWARD
