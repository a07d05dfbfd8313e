"""Paired rewards against a deque over the same resampled sequence, and against the tracker."""

import math
from collections import deque
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analytics.comparison.answer_codes import Codes, answer_codes, candidate_codes
from analytics.comparison.paired_answers import Answers, Challenges, concatenated, single_answerer
from analytics.comparison.paired_rewards import PairedRewards, paired_rewards
from analytics.scoring.metrics import reward, reward_near
from analytics.scoring.tracker import EmaScores, ScoringSettings, Tracker

SMALL = ScoringSettings(metrics_window=7, accuracy_window=3)
ODD = [-1.0, math.nan, 1.7, -0.7, -0.3, 1.2, 0.5]


def challenges_of(
    labels: NDArray[np.int8],
    exponents: NDArray[np.int8],
    lives: NDArray[np.int32] | None = None,
) -> Challenges:
    count = len(labels)
    ones = np.ones(count)
    images = np.arange(count, dtype=np.int32)
    life = np.zeros(count, np.int32) if lives is None else lives
    return Challenges(labels, images, exponents, np.arange(count + 1), ones / 2, ones, life)


def random_case(
    seed: int, *, odd: bool, several_lives: bool = False
) -> tuple[Challenges, Answers, Codes, NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 40))
    labels = rng.integers(0, 2, count).astype(np.int8)
    exponents = np.where(np.arange(count) < count // 2, 1, 3).astype(np.int8)
    miners = []
    for _ in range(3):
        asked = np.sort(rng.integers(0, count, int(rng.integers(0, 30)))).astype(np.int32)
        given_answers = rng.random(len(asked))
        replaced = rng.random(len(asked)) < (0.2 if odd else 0.0)
        given_answers[replaced] = rng.choice(ODD, replaced.sum())
        spells = np.cumsum(np.diff(asked, prepend=-1) * (rng.random(len(asked)) < 0.1) > 0)
        miner = single_answerer(asked, given_answers)
        miners.append(replace(miner, spell=spells.astype(np.int32)))
    lives = np.sort(rng.integers(0, int(rng.integers(1, 4)), count)).astype(np.int32)
    challenges = challenges_of(labels, exponents, lives if several_lives else None)
    candidate = candidate_codes(challenges, rng.random(count), rng.random(count))
    return challenges, concatenated(miners), candidate, rng.integers(0, 7, count).astype(np.uint8)


def scored(window: list[tuple[float, int]]) -> tuple[float, float]:
    """MCC with the floor and accuracy by their formulas, 0 where the validator's calls raise."""
    kept = [(float(np.round(p)), label) for p, label in window if p != -1]
    classes, labels = {c for c, _ in kept}, {label for _, label in kept}
    if not all(math.isfinite(c) for c in classes):
        return 0.0, 0.0
    if not classes <= {0, 1} and not (labels == {1} and len(classes | labels) == 2):
        return 0.0, 0.0
    tp, fp, fn, tn = (
        sum((c == 1) == positive and label == actual for c, label in kept)
        for positive, actual in ((True, 1), (True, 0), (False, 1), (False, 0))
    )
    spread = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    mcc = (tp * tn - fp * fn) / math.sqrt(spread) if spread else 0.0
    return max(0.0, mcc), (tp + tn) / len(kept) if kept else 0.0


def plain(
    challenges: Challenges,
    answers: Answers,
    repeats: NDArray[np.uint8],
    candidate: Codes | None,
) -> PairedRewards:
    means = np.zeros((3, answers.count))
    for answerer in range(answers.count):
        part = range(answers.starts[answerer], answers.starts[answerer + 1])
        drawn = [
            at
            for challenge in sorted({int(answers.challenge[at]) for at in part})
            for _ in range(repeats[challenge])
            for at in part
            if answers.challenge[at] == challenge
        ]
        # a life's EMA is that of its last spell that was asked anything, drawn or not
        last = {int(challenges.lives[answers.challenge[k]]): answers.spell[k] for k in part}
        history: deque[tuple[float, int]] = deque(maxlen=SMALL.metrics_window)
        rewards, emas, ema, spell = [], [], 0.0, None
        of_life: dict[int, list[float]] = {}
        for at in drawn:
            asked = int(answers.challenge[at])
            life = int(challenges.lives[asked])
            prediction = float(answers.prediction[at])
            if candidate is not None:
                prediction = float(candidate[asked] >> 1 & 1)
            if (life, answers.spell[at]) != spell:
                history.clear()
                ema, spell = 0.0, (life, answers.spell[at])
            label = int(challenges.labels[asked])
            history.append((prediction, label))
            mcc, _ = scored(list(history))
            _, recent = scored(list(history)[-SMALL.accuracy_window :])
            paid = 0 <= prediction <= 1
            exponent = int(challenges.exponents[asked])
            rewards.append((0.5 * mcc + 0.5 * recent) ** exponent if paid else 0.0)
            members = [k for k in part if answers.challenge[k] == asked]
            if at == members[-1]:
                ema = SMALL.alpha * rewards[-1] + (1 - SMALL.alpha) * ema
                emas.append(ema)
                of_life.setdefault(life, []).append(ema if answers.spell[at] == last[life] else 0.0)
        means[:, answerer] = (
            float(np.mean(rewards or [0.0])),
            sum(len(given) * given[-1] for given in of_life.values()) / max(1, len(emas)),
            float(np.mean(emas or [0.0])),
        )
    return PairedRewards(*means)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans(), st.booleans())
def test_a_resampled_sequence_is_scored_as_by_a_deque(
    seed: int, odd: bool, several_lives: bool
) -> None:
    challenges, answers, candidate, repeats = random_case(
        seed, odd=odd, several_lives=several_lives
    )
    codes = answer_codes(challenges, answers)
    rewards = paired_rewards(challenges, answers, codes, candidate, repeats, SMALL)
    for side, swapped in enumerate((None, candidate)):
        expected = plain(challenges, answers, repeats, swapped)
        for name, values in vars(expected).items():
            scored = getattr(rewards, name)[:, side]
            assert scored == pytest.approx(values, abs=1e-12), name


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_sent_once_it_is_the_trackers_own(seed: int) -> None:
    challenges, answers, candidate, repeats = random_case(seed, odd=True)
    once = np.ones_like(repeats)
    codes = answer_codes(challenges, answers)
    rewards = paired_rewards(challenges, answers, codes, candidate, once)
    for answerer in range(answers.count):
        part = slice(answers.starts[answerer], answers.starts[answerer + 1])
        asked, spells = answers.challenge[part], answers.spell[part]
        tracked = Tracker(uids=1).answer(
            np.zeros(len(asked), np.int64),
            spells,
            answers.prediction[part],
            challenges.labels[asked],
            challenges.exponents[asked],
        )
        expected = tracked.reward.mean() if len(asked) else 0.0
        assert rewards.reward[answerer, 0] == pytest.approx(expected, abs=1e-12)
        scores = EmaScores([0.0])
        before = None
        for at in np.flatnonzero(np.diff(asked, append=-1)):
            if spells[at] != before:
                scores.reset(0)
            before = spells[at]
            scores.update([0], [tracked.reward[at]])
        assert rewards.ema[answerer, 0] == pytest.approx(float(scores.values[0]), abs=1e-6)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.sampled_from([1, 3]))
def test_the_quick_reward_is_the_reward(mcc: float, recent: float, exponent: int) -> None:
    expected = reward(mcc, recent, 0.5, exponent)
    assert reward_near(mcc, recent, exponent) == pytest.approx(expected, rel=1e-14, abs=1e-300)


def test_a_variant_is_sampled_by_its_share() -> None:
    challenges = challenges_of(np.array([0, 1, 1], np.int8), np.full(3, 3, np.int8))
    positive_shares, uniforms = np.array([0.25, 0.25, 1.0]), np.array([0.2, 0.3, 0.999])
    assert (candidate_codes(challenges, positive_shares, uniforms) & 3).tolist() == [2, 1, 3]
