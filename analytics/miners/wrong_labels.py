"""Suspected wrong labels: source images whose label able miners contradict.

Able: the ability's interval lies above the mean miner. Each has one vote for an image, its first
answer (a later one may repeat a memorised label), and a clone group has one vote together. A label
is suspected where more than half of the votes are against it, beyond chance: exact binomial test
against one half, Benjamini and Hochberg's correction over images. A merely hard image splits the
votes; a deceptive one looks like a wrong label: a person has to check each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy import stats

from analytics.comparison.intervals import Interval, wilson_interval
from analytics.miners.answers import Indices, MinerAnswers
from analytics.miners.clones import CloneGroup
from analytics.miners.item_response import Ability
from analytics.scoring.predicted_class import predicted_class


@dataclass(frozen=True)
class WrongLabelSettings:
    """When a label is suspected.

    `few_votes`: images with fewer votes are not tested. `false_share`: the false discovery rate,
    0..1. `errors_above`: standard errors by which an able miner is above the mean one.
    """

    few_votes: int = 5
    false_share: float = 0.05
    errors_above: float = 1.96


@dataclass(frozen=True)
class SuspectedLabel:
    """A source image whose label able miners contradict.

    Of `votes` votes `against` are for the other class, a `share` with Wilson's 95% interval;
    `p_value` is after correction. `challenge_id` is the first of its `challenges`.
    """

    source_image: str
    label: int
    challenge_id: str
    challenges: int
    votes: int
    against: int
    share: float
    interval: Interval
    p_value: float


@dataclass(frozen=True)
class WrongLabels:
    """Suspected labels, surest first, out of `images_tested`; `images_left_out` had few votes."""

    suspected: list[SuspectedLabel]
    able_miners: int
    voters: int
    images_tested: int
    images_left_out: int


def wrong_labels(
    answers: MinerAnswers,
    abilities: Sequence[Ability],
    clones: Sequence[CloneGroup],
    settings: WrongLabelSettings = WrongLabelSettings(),
) -> WrongLabels:
    """Find labels that able miners contradict."""
    able = {
        ability.miner
        for ability in abilities
        if ability.ability - settings.errors_above * ability.error > 0
    }
    number = {miner: index for index, miner in enumerate(answers.miners)}
    voter = np.full(len(number), -1, dtype=np.int64)
    voter[[number[miner] for miner in able]] = [number[miner] for miner in able]
    for group in clones:
        members = [number[miner] for miner in group.miners if miner in able]
        voter[members] = min(members, default=-1)
    tallies = _tallies(answers, voter)
    tested = tallies.filter(pl.col("votes") >= settings.few_votes)
    return WrongLabels(
        suspected=_suspected(tested, settings.false_share),
        able_miners=len(able),
        voters=len(np.unique(voter[voter >= 0])),
        images_tested=tested.height,
        images_left_out=answers.challenges.select("image", "label").n_unique() - tested.height,
    )


def _tallies(answers: MinerAnswers, voter: Indices) -> pl.DataFrame:
    """A row for each image (and label, should it have two): votes, and those against the label."""
    classes = predicted_class(answers.prediction)
    votes = pl.DataFrame(
        {
            "voter": voter[answers.miner],
            "image": answers.image,
            "label": answers.label,
            "against": classes == 1 - answers.label,
            "of_a_class": (classes == 0) | (classes == 1),
        }
    )
    first = votes.filter(pl.col("voter") >= 0, pl.col("of_a_class")).unique(
        ["voter", "image", "label"], keep="first", maintain_order=True
    )
    counted = first.group_by("image", "label").agg(votes=pl.len(), against=pl.col("against").sum())
    images = answers.challenges.group_by("image", "label", maintain_order=True).agg(
        pl.first("source_image"), pl.first("challenge_id"), challenges=pl.len()
    )
    return images.join(counted, on=["image", "label"], maintain_order="left")


def _suspected(tested: pl.DataFrame, false_share: float) -> list[SuspectedLabel]:
    if tested.is_empty():
        return []
    votes, against = tested["votes"].to_numpy(), tested["against"].to_numpy()
    p_values = stats.false_discovery_control(stats.binom.sf(against - 1.0, votes, 0.5))
    named = tested.with_columns(pl.Series("p_value", p_values))
    rows = named.filter(pl.col("p_value") <= false_share).sort("p_value", maintain_order=True)
    return [
        SuspectedLabel(
            **{name: row[name] for name in ("source_image", "label", "challenge_id", "challenges")},
            votes=row["votes"],
            against=row["against"],
            share=row["against"] / row["votes"],
            interval=wilson_interval(row["against"], row["votes"]),
            p_value=row["p_value"],
        )
        for row in rows.iter_rows(named=True)
    ]
