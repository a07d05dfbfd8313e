"""Baselines for a candidate: best miner, median miner, majority vote, stacked ensemble of miners.

Each is selected or fitted on the earlier part of the challenges and evaluated on the later one.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from analytics.comparison.bootstrap import MIN_IMAGES
from analytics.comparison.image_confusion import image_confusion
from analytics.comparison.paired_answers import (
    Answers,
    Flags,
    Integers,
    PairedAnswers,
    single_answerer,
)
from analytics.scoring.metrics import Floats, mcc_of_tables

BEST, MEDIAN = "best miner", "median miner"
MAJORITY, STACK = "majority vote", "stacked ensemble"

_CLIP = 1e-3
"""Answers are clipped to this distance from 0 and 1 before their logit."""
_LABELS = 2


@dataclass(frozen=True)
class Baseline:
    """A baseline's answers to the later part.

    `miner` is its index where it is a single miner. `chosen_on` is how many of that miner's answers
    it was selected by, or how many challenges it was fitted on; `earlier_mcc` is the MCC that a
    miner was selected by.
    """

    name: str
    miner: int | None
    chosen_on: int
    earlier_mcc: float | None
    answers: Answers


def baselines(paired: PairedAnswers, earlier: Flags) -> tuple[list[Baseline], dict[str, str]]:
    """The four baselines, and by name the reason why one is missing.

    Args:
        paired: answers of miners and of the candidate.
        earlier: (C,), True for the challenges to select and fit on.
    """
    first, later = paired.within(earlier), paired.within(~earlier)
    miners, missing_miners = _single_miners(first, later)
    ensembles, missing_ensembles = _ensembles(first, later)
    return miners + ensembles, missing_miners | missing_ensembles


def _single_miners(
    first: PairedAnswers, later: PairedAnswers
) -> tuple[list[Baseline], dict[str, str]]:
    counts = [image_confusion(part, part.challenges.positive_shares()) for part in (first, later)]
    images = np.minimum(counts[0].image_counts, counts[1].image_counts)
    enough = np.flatnonzero(images >= MIN_IMAGES)
    if not len(enough):
        most = int(images.max(initial=0))
        why = f"found {most} source images at most in both parts; expected {MIN_IMAGES} of a miner"
        return [], {BEST: why, MEDIAN: why}
    mccs = mcc_of_tables(counts[0].summed())[:, 0]
    ranked = enough[np.argsort(-mccs[enough], kind="stable")]
    selected = {BEST: int(ranked[0]), MEDIAN: int(ranked[len(ranked) // 2])}
    answered = first.answers.only(first.answers.answered)
    return [
        Baseline(
            name,
            miner,
            int(np.diff(answered.starts)[miner]),
            float(mccs[miner]),
            later.answers.of(miner),
        )
        for name, miner in selected.items()
    ], {}


def _ensembles(first: PairedAnswers, later: PairedAnswers) -> tuple[list[Baseline], dict[str, str]]:
    voted, shares = _positive_votes(later)
    if not len(voted):
        why = "found no challenge of the later part that a miner answered"
        return [], {MAJORITY: why, STACK: why}
    majority = Baseline(MAJORITY, None, 0, None, single_answerer(voted, shares))
    fitted, features = _features(first)
    labels = first.challenges.labels[fitted]
    if len(np.unique(labels)) < _LABELS:
        why = f"found one label only in the {len(fitted)} earlier challenges; expected both"
        return [majority], {STACK: why}
    model = LogisticRegression(max_iter=1000).fit(features, labels)
    answered, later_features = _features(later)
    answers = single_answerer(answered, model.predict_proba(later_features)[:, 1])
    return [majority, Baseline(STACK, None, len(fitted), None, answers)], {}


def _positive_votes(paired: PairedAnswers) -> tuple[Integers, Floats]:
    """Challenges with an answer, and the share of their answers that is of class 1, 0..1."""
    used = paired.answers.answered
    challenge = paired.answers.challenge[used]
    positive = (paired.answers.classes[used] == 1).astype(float)
    answered = np.unique(challenge)
    count = paired.challenges.count
    shares = np.bincount(challenge, positive, count) / np.maximum(
        1, np.bincount(challenge, None, count)
    )
    return answered, shares[answered]


def _features(paired: PairedAnswers) -> tuple[Integers, sparse.csr_array]:
    """Challenges with an answer, (n,), and features of the miners' answers to them, (n, 2M).

    Of each miner the logit of its answer, 0 where that is missing; then whether it answered.
    """
    answers, used = paired.answers, paired.answers.answered
    challenge, owner = answers.challenge[used], answers.owner[used]
    answered, rows = np.unique(challenge, return_inverse=True)
    # a miner that was asked twice in one challenge saw one image: its first answer counts
    _, first = np.unique(rows.astype(np.int64) * answers.count + owner, return_index=True)
    rows, owner = rows[first], owner[first]
    logits = logit(np.clip(answers.prediction[used][first], _CLIP, 1 - _CLIP))
    columns = np.concatenate([owner, owner + answers.count])
    values = np.concatenate([logits, np.ones(len(owner))])
    shape = (len(answered), 2 * answers.count)
    return answered, sparse.csr_array((values, (np.tile(rows, 2), columns)), shape=shape)
