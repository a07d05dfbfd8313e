from dataclasses import replace

import numpy as np

from analytics.comparison.baselines import BEST, MAJORITY, MEDIAN, STACK, baselines
from analytics.comparison.paired_answers import Answers, Flags, PairedAnswers
from analytics.scoring.metrics import Floats
from tests.analytics.comparison.simulated_answers import WorldSettings, world


def halves(paired: PairedAnswers) -> Flags:
    return np.asarray(np.arange(paired.challenges.count) < paired.challenges.count // 2)


def changed(paired: PairedAnswers, prediction: Floats) -> PairedAnswers:
    return PairedAnswers(paired.challenges, replace(paired.answers, prediction=prediction))


def accuracy(paired: PairedAnswers, answers: Answers) -> float:
    return float((answers.classes == paired.challenges.labels[answers.challenge]).mean())


def test_miners_are_selected_on_the_earlier_part_and_evaluated_on_the_later() -> None:
    paired = world().paired
    answers, earlier = paired.answers, halves(paired)
    label = paired.challenges.labels[answers.challenge].astype(float)
    early = earlier[answers.challenge]
    # miner 3 is perfect early and always wrong late; all others are as they are
    swapped = answers.prediction.copy()
    mine = answers.owner == 3
    swapped[mine] = np.where(early, label, 1 - label)[mine]
    paired = changed(paired, swapped)
    chosen, missing = baselines(paired, earlier)
    by_name = {baseline.name: baseline for baseline in chosen}
    assert not missing
    best = by_name[BEST]
    assert (best.miner, best.earlier_mcc) == (3, 1.0)
    assert best.chosen_on == int((mine & early).sum())
    assert accuracy(paired, best.answers) == 0.0
    for baseline in chosen:
        assert not earlier[baseline.answers.challenge].any()
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
    by_name = {baseline.name: baseline for baseline in baselines(paired, halves(paired))[0]}
    majority = by_name[MAJORITY]
    for sent, value in zip(majority.answers.challenge, majority.answers.prediction, strict=True):
        given = prediction[(paired.answers.challenge == sent) & (prediction != -1)]
        assert value == np.mean(np.round(given) == 1)
        if np.sum(np.round(given)) * 2 == len(given):
            assert np.round(value) == 0


def test_a_stack_weights_able_miners_and_inverts_those_that_are_wrong() -> None:
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
    by_name = {baseline.name: baseline for baseline in baselines(paired, halves(paired))[0]}
    stack, majority = by_name[STACK], by_name[MAJORITY]
    informed = np.isin(stack.answers.challenge, answers.challenge[answers.owner < 2])
    right = stack.answers.classes == paired.challenges.labels[stack.answers.challenge]
    assert right[informed].mean() > 0.85
    assert accuracy(paired, stack.answers) > accuracy(paired, majority.answers) + 0.1


def test_a_missing_baseline_has_a_reason_with_its_n() -> None:
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
