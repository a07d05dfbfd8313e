from dataclasses import replace

import numpy as np
import pytest

from analytics.comparison.baselines import BEST, MAJORITY, MEDIAN, STACK, baselines
from analytics.comparison.best_logit_shift import best_logit_shift
from analytics.comparison.bootstrap import BootstrapSettings
from analytics.comparison.calibration import calibration
from analytics.comparison.paired_answers import Answers, Challenges, Flags, PairedAnswers
from analytics.scoring.metrics import Floats
from tests.worlds.answers import WorldSettings, world

DRAWING = BootstrapSettings(draws=50)


def halves(paired: PairedAnswers) -> Flags:
    return np.asarray(np.arange(paired.challenges.count) < paired.challenges.count // 2)


def changed(paired: PairedAnswers, prediction: Floats) -> PairedAnswers:
    return PairedAnswers(paired.challenges, replace(paired.answers, prediction=prediction))


def accuracy(paired: PairedAnswers, answers: Answers) -> float:
    return float((answers.classes == paired.challenges.labels[answers.challenge]).mean())


def test_miners_are_chosen_by_the_earlier_part_and_judged_by_the_later() -> None:
    paired = world().paired
    answers, earlier = paired.answers, halves(paired)
    label = paired.challenges.labels[answers.challenge].astype(float)
    early = earlier[answers.challenge]
    # miner 3 is perfect early and always wrong late; all others are as they are
    swapped = answers.prediction.copy()
    mine = answers.owner == 3
    swapped[mine] = np.where(early, label, 1 - label)[mine]
    paired = changed(paired, swapped)
    found, missing = baselines(paired, earlier)
    by_name = {one.name: one for one in found}
    assert not missing
    best = by_name[BEST]
    assert (best.miner, best.earlier_mcc) == (3, 1.0)
    assert best.chosen_on == int((mine & early).sum())
    assert accuracy(paired, best.answers) == 0.0
    for one in found:
        assert not earlier[one.answers.challenge].any()
    mccs = []
    for miner in range(answers.count):
        part = (answers.owner == miner) & early
        mccs.append(np.corrcoef(label[part], np.round(swapped[part]))[0, 1])
    # of twenty the eleventh from the top
    assert by_name[MEDIAN].miner == np.argsort(mccs)[::-1][10]


def test_the_majority_counts_answers_and_a_tie_is_class_0() -> None:
    paired = world(WorldSettings(miners=6, asked=3)).paired
    rng = np.random.default_rng(0)
    prediction = paired.answers.prediction.copy()
    prediction[rng.random(len(prediction)) < 0.4] = -1.0
    paired = changed(paired, prediction)
    (majority,) = (one for one in baselines(paired, halves(paired))[0] if one.name == MAJORITY)
    for sent, value in zip(majority.answers.challenge, majority.answers.prediction, strict=True):
        given = prediction[(paired.answers.challenge == sent) & (prediction != -1)]
        assert value == np.mean(np.round(given) == 1)
        if np.sum(np.round(given)) * 2 == len(given):
            assert np.round(value) == 0


def test_a_stack_learns_whom_to_trust_and_who_says_the_opposite() -> None:
    paired = world(WorldSettings(images=900, challenges=3000)).paired
    answers = paired.answers
    rng = np.random.default_rng(0)
    label = paired.challenges.labels[answers.challenge]
    # noise, but for two: one right nine times of ten, one as often wrong
    prediction = rng.random(len(label))
    for miner, right in ((0, 0.9), (1, 0.1)):
        mine = answers.owner == miner
        hit = rng.random(mine.sum()) < right
        prediction[mine] = np.where(hit, label[mine], 1 - label[mine])
    paired = changed(paired, prediction)
    found, _ = baselines(paired, halves(paired))
    stack, majority = (next(one for one in found if one.name == name) for name in (STACK, MAJORITY))
    informed = np.isin(stack.answers.challenge, answers.challenge[answers.owner < 2])
    right = stack.answers.classes == paired.challenges.labels[stack.answers.challenge]
    assert right[informed].mean() > 0.85
    assert accuracy(paired, stack.answers) > accuracy(paired, majority.answers) + 0.1


def test_what_cannot_be_had_is_said_with_its_n() -> None:
    paired = world(WorldSettings(images=8, challenges=40)).paired
    _, missing = baselines(paired, halves(paired))
    assert set(missing) == {BEST, MEDIAN}
    assert "source images at most in both parts; expected 10" in missing[BEST]
    one_label = PairedAnswers(
        replace(paired.challenges, labels=np.ones_like(paired.challenges.labels)), paired.answers
    )
    _, missing = baselines(one_label, halves(paired))
    assert "found one label only in the 20 earlier challenges" in missing[STACK]
    silent = changed(paired, np.full_like(paired.answers.prediction, -1.0))
    _, missing = baselines(silent, halves(paired))
    assert set(missing) == {BEST, MEDIAN, MAJORITY, STACK}


def shifted_world(by: float, seed: int = 0) -> Challenges:
    """A candidate whose logit is off by `by`, without noise that a threshold could not mend."""
    rng = np.random.default_rng(seed)
    count = 1200
    labels = rng.integers(0, 2, count).astype(np.int8)
    logits = (2 * labels - 1) * 2 + rng.normal(0, 1, count) + by
    return Challenges(
        labels,
        np.arange(count, dtype=np.int32),
        np.full(count, 3, np.int8),
        np.arange(count + 1),
        1 / (1 + np.exp(-logits)),
        np.ones(count),
        np.zeros(count, np.int32),
    )


def test_a_shifted_logit_is_shifted_back_and_judged_on_later_challenges() -> None:
    challenges = shifted_world(-3.0)
    earlier = np.arange(1200) < 600
    found = best_logit_shift(challenges, earlier, DRAWING)
    assert found is not None
    assert found.shift == pytest.approx(3.0, abs=0.8)
    assert found.shift == pytest.approx(-np.log(found.threshold / (1 - found.threshold)))
    assert (found.earlier_n, found.later_n) == (600, 600)
    assert found.interval is not None
    assert 0 < found.interval[0] < found.difference < found.interval[1]
    assert found.difference == pytest.approx(found.reward - found.unshifted)


def test_nothing_to_gain_is_no_shift() -> None:
    challenges = shifted_world(0.0)
    perfect = replace(challenges, probabilities=challenges.labels.astype(np.float64) * 0.8 + 0.1)
    found = best_logit_shift(perfect, np.arange(1200) < 600, DRAWING)
    assert found is not None
    assert (found.shift, found.threshold, found.difference) == (0.0, 0.5, 0.0)
    assert found.interval == (0.0, 0.0)
    assert best_logit_shift(perfect, np.ones(1200, np.bool_), DRAWING) is None


def test_calibration_is_the_mean_gap_of_its_bins() -> None:
    challenges = shifted_world(-1.0)
    found = calibration(challenges)
    places = np.minimum((challenges.probabilities * 10).astype(int), 9)
    gap = 0.0
    for k, one in enumerate(found.bins):
        inside = places == k
        assert one.n == inside.sum()
        assert one.probability == pytest.approx(challenges.probabilities[inside].mean())
        assert one.roadwork == pytest.approx(challenges.labels[inside].mean())
        gap += (
            abs(challenges.probabilities[inside].mean() - challenges.labels[inside].mean()) * one.n
        )
    assert found.error == pytest.approx(gap / 1200)
    assert found.n == 1200
    # right on average in every bin: no error
    honest = replace(challenges, probabilities=np.full(1200, challenges.labels.mean()))
    assert calibration(honest).error == pytest.approx(0.0)
    assert calibration(honest).bins[9].probability is None
