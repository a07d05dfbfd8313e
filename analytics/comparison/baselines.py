"""Whom a candidate must beat: the best miner, the median one, their majority, a stack of them all.

Each is chosen or fitted on the earlier part of the challenges and answers the later one, so that
none is judged by what it was picked for.
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
_BOTH = 2


@dataclass(frozen=True)
class Baseline:
    """One to compare with on the later part.

    `miner` is its number where it is a single one, `chosen_on` the n that chose or fitted it (the
    chosen miner's own answers, or challenges), `earlier_mcc` what a miner was chosen by.
    """

    name: str
    miner: int | None
    chosen_on: int
    earlier_mcc: float | None
    answers: Answers


def baselines(paired: PairedAnswers, earlier: Flags) -> tuple[list[Baseline], dict[str, str]]:
    """The four baselines, and why one of them cannot be had.

    Args:
        paired: miners and candidate.
        earlier: (C,), True for the challenges to choose and fit on.
    """
    first, later = paired.within(earlier), paired.within(~earlier)
    found: list[Baseline] = []
    missing: dict[str, str] = {}
    for part in (_single_miners, _ensembles):
        more, why = part(first, later)
        found += more
        missing |= why
    return found, missing


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
    chosen = {BEST: int(ranked[0]), MEDIAN: int(ranked[len(ranked) // 2])}
    answered = first.answers.only(first.answers.answered)
    return [
        Baseline(
            name,
            miner,
            int(np.diff(answered.starts)[miner]),
            float(mccs[miner]),
            _alone(later.answers, miner),
        )
        for name, miner in chosen.items()
    ], {}


def _alone(answers: Answers, one: int) -> Answers:
    part = slice(answers.starts[one], answers.starts[one + 1])
    return Answers(
        np.array([0, part.stop - part.start], np.int64),
        answers.challenge[part],
        answers.spell[part],
        answers.prediction[part],
    )


def _ensembles(first: PairedAnswers, later: PairedAnswers) -> tuple[list[Baseline], dict[str, str]]:
    challenge, votes = _votes(later)
    if not len(challenge):
        why = "found no challenge of the later part that a miner answered"
        return [], {MAJORITY: why, STACK: why}
    found = [Baseline(MAJORITY, None, 0, None, single_answerer(challenge, votes))]
    sent, features = _features(first)
    labels = first.challenges.labels[sent]
    if len(np.unique(labels)) < _BOTH:
        why = f"found one label only in the {len(sent)} earlier challenges; expected both"
        return found, {STACK: why}
    model = LogisticRegression(max_iter=1000).fit(features, labels)
    asked, judged = _features(later)
    answers = single_answerer(asked, model.predict_proba(judged)[:, 1])
    return [*found, Baseline(STACK, None, len(sent), None, answers)], {}


def _votes(paired: PairedAnswers) -> tuple[Integers, Floats]:
    """Challenges with an answer, and the share of class 1 among theirs: half is class 0."""
    used = paired.answers.answered
    challenge = paired.answers.challenge[used]
    positive = (paired.answers.classes[used] == 1).astype(float)
    sent = np.unique(challenge)
    count = paired.challenges.count
    positive_shares = np.bincount(challenge, positive, count) / np.maximum(
        1, np.bincount(challenge, None, count)
    )
    return sent, positive_shares[sent]


def _features(paired: PairedAnswers) -> tuple[Integers, sparse.csr_array]:
    """Challenges with an answer; of each miner its logit (0 if missing) and whether it has one."""
    answers, used = paired.answers, paired.answers.answered
    challenge, owner = answers.challenge[used], answers.owner[used]
    sent, rows = np.unique(challenge, return_inverse=True)
    # asked twice in one challenge, a miner saw one image: its first answer counts
    _, first = np.unique(rows.astype(np.int64) * answers.count + owner, return_index=True)
    rows, owner = rows[first], owner[first]
    logits = logit(np.clip(answers.prediction[used][first], _CLIP, 1 - _CLIP))
    columns = np.concatenate([owner, owner + answers.count])
    values = np.concatenate([logits, np.ones(len(owner))])
    shape = (len(sent), 2 * answers.count)
    return sent, sparse.csr_array((values, (np.tile(rows, 2), columns)), shape=shape)
