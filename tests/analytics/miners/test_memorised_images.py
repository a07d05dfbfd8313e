"""Look-up suspects: one who looks up is found; learners and steady miners are not."""

import numpy as np
import pytest
from scipy import stats

from analytics.miners.answers import Flags, Indices, MinerAnswers
from analytics.miners.memorised_images import (
    MemorisationSettings,
    MemorisationTest,
    memorisation_tests,
)
from analytics.scoring.metrics import Floats
from tests.analytics.miners.simulated_miners import as_answers, as_predictions, asked

IMAGES, CHALLENGES, MINERS = 400, 8000, 40


def seen_before(miner: Indices, image: Indices) -> Flags:
    _, first = np.unique(miner * IMAGES + image, return_index=True)
    again = np.ones(len(miner), dtype=bool)
    again[first] = False
    return again


def world(seed: int, *, looking_up: int = 0, learning: int = 0) -> MinerAnswers:
    """The first miners look labels up after first sight, the next ones learn all the time."""
    rng = np.random.default_rng(seed)
    image = rng.integers(IMAGES, size=CHALLENGES)
    labels = rng.integers(2, size=IMAGES)[image]
    challenge, miner = asked(rng, CHALLENGES, MINERS)
    logit: Floats = rng.normal(1.5, 0.3, MINERS)[miner] - rng.normal(0, 1, IMAGES)[image[challenge]]
    learner = (miner >= looking_up) & (miner < looking_up + learning)
    logit = np.where(learner, -1.0 + 7.0 * challenge / CHALLENGES, logit)
    right = rng.random(len(miner)) < 1 / (1 + np.exp(-logit))
    knows = (miner < looking_up) & seen_before(miner, image[challenge])
    right = np.where(knows, rng.random(len(miner)) < 0.99, right)
    prediction = as_predictions(right, labels[challenge], rng)
    return as_answers(challenge, miner, prediction, labels, image)


def suspects(answers: MinerAnswers) -> list[int]:
    return sorted(test.miner.uid for test in memorisation_tests(answers).tests if test.suspect)


def test_miners_who_look_up_are_found_and_nobody_else() -> None:
    found = memorisation_tests(world(1, looking_up=2))

    assert sorted(test.miner.uid for test in found.tests if test.suspect) == [0, 1]
    assert (len(found.tests), found.left_out) == (MINERS, 0)
    first = found.tests[0]
    assert first.repeat_accuracy > 0.95 > first.first_accuracy
    assert first.paired_interval[0] > 0.1


def test_steady_miners_are_not_suspects() -> None:
    assert [suspects(world(seed)) for seed in range(10, 20)] == [[]] * 10


def test_a_miner_who_learns_is_better_on_repeats_but_no_suspect() -> None:
    tests = {test.miner.uid: test for test in memorisation_tests(world(2, learning=1)).tests}
    learner = tests[0]

    assert learner.paired_interval[0] > 0
    assert learner.p_value < 0.01
    assert learner.same_period_interval is not None
    assert learner.same_period_interval[0] < 0.05
    assert not learner.suspect


def test_adjusted_p_values_of_steady_miners_keep_their_level() -> None:
    """In at most 5% of worlds the smallest may lie below 0.05; of 40 worlds 6 are too many."""
    smallest = [memorisation_tests(world(seed)).tests[0].p_value for seed in range(30, 70)]

    assert np.mean(np.array(smallest) < 0.05) < 0.15


def one_miner(right: list[list[bool]], few: int = 1) -> MemorisationTest:
    """A miner alone, who answers each image as listed, one after the other."""
    image = np.array([number for number, own in enumerate(right) for _ in own])
    flat = np.array([answer for own in right for answer in own])
    labels = np.ones(len(flat), dtype=np.int64)
    prediction = np.where(flat, 0.9, 0.1)
    numbers = np.arange(len(flat))
    answers = as_answers(numbers, np.zeros(len(flat), np.int64), prediction, labels, image)
    [test] = memorisation_tests(answers, MemorisationSettings(few_images=few)).tests
    return test


def test_with_two_answers_an_image_the_p_value_is_mcnemars() -> None:
    """scipy's exact binomial test of the discordant pairs."""
    right = [[False, True]] * 9 + [[True, False]] * 2 + [[True, True]] * 5 + [[False, False]]

    test = one_miner(right)

    assert test.p_value == pytest.approx(stats.binomtest(2, 11, alternative="less").pvalue)
    assert test.paired_difference == pytest.approx((9 - 2) / 17)
    assert test.images == 17
    assert test.first_accuracy == pytest.approx(7 / 17)


def test_a_miner_always_right_is_no_suspect() -> None:
    test = one_miner([[True, True, True]] * 30)

    assert (test.p_value, test.paired_difference, test.suspect) == (1.0, 0.0, False)


def test_too_few_repeats_are_counted_not_judged() -> None:
    labels = np.array([0, 1])
    answers = as_answers(np.arange(2), np.zeros(2, np.int64), np.array([0.1, 0.2]), labels)

    found = memorisation_tests(answers)

    assert (found.tests, found.left_out) == ([], 1)
