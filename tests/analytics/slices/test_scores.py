"""Slices against scikit-learn and the tracker's rewards, and in worlds whose truth is known."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.comparison.paired_answers import Answers, Challenges, PairedAnswers
from analytics.scoring.metrics import Floats
from analytics.scoring.tracker import Tracker
from analytics.slices.scores import Slice, SliceSettings, slices
from tests.analytics.comparison.simulated_answers import WorldSettings, world
from tests.analytics.slices.flagged import Flagged, coded

QUICK = SliceSettings(BootstrapSettings(draws=200), cost_draws=40)


def sliced(paired: PairedAnswers, members: np.ndarray, settings: SliceSettings = QUICK) -> Slice:
    (only,) = slices(paired, coded([Flagged("field", "value", members)]), settings)
    return only


def mean_reward(paired: PairedAnswers, predictions: Floats) -> float:
    """Everyone's answers replaced, and rewarded by the validator's own tracker."""
    answers, labels = paired.answers, paired.challenges.labels[paired.answers.challenge]
    scored = Tracker(uids=answers.count).answer(
        answers.owner, np.zeros(len(predictions)), predictions, labels, 3
    )
    return float(scored.reward.mean())


@pytest.fixture(scope="module")
def paired() -> PairedAnswers:
    return world(WorldSettings(images=60, challenges=500, miners=5, asked=3, seed=4)).paired


def test_scores_of_a_slice_are_those_of_its_answers(paired: PairedAnswers) -> None:
    flags = np.arange(paired.challenges.count) % 3 == 0
    result = sliced(paired, flags)
    answers = paired.answers
    within = flags[answers.challenge]
    challenge = answers.challenge[within]
    labels = paired.challenges.labels[challenge]
    miners = np.round(answers.prediction[within])
    ours = np.round(paired.challenges.probabilities[challenge])
    assert result.n == within.sum()
    assert result.challenges == len(set(challenge.tolist()))
    assert result.images == len(set(paired.challenges.images[challenge].tolist()))
    assert result.accuracy == pytest.approx(sk.accuracy_score(labels, ours))
    assert result.miners_accuracy == pytest.approx(sk.accuracy_score(labels, miners))
    assert result.mcc == pytest.approx(sk.matthews_corrcoef(labels, ours))
    assert result.miners_mcc == pytest.approx(sk.matthews_corrcoef(labels, miners))


def test_the_cost_is_what_the_validators_rewards_would_differ_by(paired: PairedAnswers) -> None:
    flags = np.arange(paired.challenges.count) < 200
    answers = paired.answers
    ours = paired.challenges.probabilities[answers.challenge]
    mixed = np.where(flags[answers.challenge], answers.prediction, ours)
    expected = mean_reward(paired, mixed) - mean_reward(paired, ours)
    assert abs(expected) > 1e-3
    assert sliced(paired, flags).cost == pytest.approx(expected, abs=1e-12)


def test_odd_answers_of_miners_cost_what_they_cost_them(paired: PairedAnswers) -> None:
    prediction = paired.answers.prediction.copy()
    prediction[::7], prediction[3::11], prediction[5::13] = 1.7, -1.0, np.nan
    answers = Answers(
        paired.answers.starts, paired.answers.challenge, paired.answers.spell, prediction
    )
    odd = PairedAnswers(paired.challenges, answers)
    flags = np.arange(odd.challenges.count) % 2 == 0
    ours = odd.challenges.probabilities[answers.challenge]
    mixed = np.where(flags[answers.challenge], prediction, ours)
    expected = mean_reward(odd, mixed) - mean_reward(odd, ours)
    assert sliced(odd, flags).cost == pytest.approx(expected, abs=1e-12)


def test_the_slice_where_a_candidate_is_wrong_costs_most_and_is_named_first() -> None:
    made = world(WorldSettings(images=300, challenges=1500, miners=8, seed=1)).paired
    dusk = np.random.default_rng(0).random(300) < 0.2
    flags = dusk[made.challenges.images]
    good, bad = made.challenges.labels.astype(float), 1 - made.challenges.labels
    probabilities = np.where(flags, bad, good)
    candidate = PairedAnswers(replace(made.challenges, probabilities=probabilities), made.answers)
    members = [
        Flagged("daytime", "day", ~flags),
        Flagged("daytime", "dusk", flags),
        Flagged("era", "E7", np.ones(len(flags), np.bool_)),
    ]
    result = slices(candidate, coded(members), QUICK)
    assert result[0].value == "dusk"
    assert result[0].cost_interval is not None
    assert result[0].cost_interval[0] > 0
    assert result[-1].value == "day"
    assert result[-1].cost < 0
    assert result[0].accuracy == 0
    assert result[0].accuracy_interval is not None
    assert result[0].accuracy_interval[1] < 0


def test_a_small_slice_has_no_interval_and_comes_last(paired: PairedAnswers) -> None:
    few = paired.challenges.images < 5
    members = [Flagged("a", "few", few), Flagged("a", "rest", ~few)]
    result = slices(paired, coded(members), QUICK)
    assert [part.small for part in result] == [False, True]
    assert (result[1].accuracy_interval, result[1].cost_interval) == (None, None)
    assert result[1].images == 5


def test_a_slice_of_one_label_has_no_mcc_and_one_without_answers_is_none(
    paired: PairedAnswers,
) -> None:
    roadwork = sliced(paired, paired.challenges.labels == 1)
    assert (roadwork.mcc, roadwork.miners_mcc, roadwork.mcc_interval) == (None, None, None)
    assert roadwork.accuracy_interval is not None
    nothing = np.zeros(paired.challenges.count, np.bool_)
    assert slices(paired, coded([Flagged("a", "nobody", nothing)]), QUICK) == []


def test_a_distribution_counts_by_its_share() -> None:
    many = world(WorldSettings(images=60, challenges=300, miners=4, variants=6, seed=2)).paired
    result = sliced(many, np.ones(300, np.bool_))
    challenge = many.answers.challenge
    labels = many.challenges.labels[challenge]
    above = (many.challenges.probabilities > 0.5).reshape(-1, 6).mean(axis=1)[challenge]
    assert result.accuracy == pytest.approx(np.where(labels == 1, above, 1 - above).mean())


@pytest.mark.parametrize("seed", range(3))
def test_an_interval_of_the_cost_holds_the_truth_of_no_cost(seed: int) -> None:
    """A candidate that answers as everybody does loses nothing anywhere."""
    made = world(WorldSettings(images=200, challenges=800, miners=6, asked=6, seed=seed)).paired
    ours: Challenges = replace(
        made.challenges, probabilities=made.answers.prediction[: made.challenges.count]
    )
    same = np.tile(made.answers.prediction[: made.challenges.count], 6)
    answers = Answers(made.answers.starts, made.answers.challenge, made.answers.spell, same)
    assert np.diff(made.answers.starts).tolist() == [800] * 6
    result = sliced(PairedAnswers(ours, answers), made.challenges.images < 100)
    assert result.cost == 0
    assert result.cost_interval == (0, 0)
