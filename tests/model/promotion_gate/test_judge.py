"""The gate's verdict against the tracker, scikit-learn and tables made by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analytics.comparison.bootstrap import BootstrapSettings
from data.errors import RunError
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.guarded_slices import Membership
from model.promotion_gate.judge import judge
from model.promotion_gate.paired_differences import paired_difference
from model.promotion_gate.settings import CITY, LABEL, LEVEL, GateSettings
from tests.model.promotion_gate.simulated_gates import (
    GateWorld,
    a_gate,
    a_log,
    answers,
    evidence_of,
)

FAST = GateSettings(draws=100)
DRAWS = BootstrapSettings(draws=20, threads=2)
SMALL = GateWorld(images=40, miners=3, asked=2)


def test_what_miners_answered_does_not_matter_where_they_were_asked_does() -> None:
    evidence = a_gate(1, 2.5, SMALL)
    assert evidence.places is not None
    odd = np.resize([-1.0, np.nan, 1.7, -0.3, 0.5], len(evidence.places.prediction))
    other = replace(evidence, places=replace(evidence.places, prediction=odd))
    assert judge(other, FAST) == judge(evidence, FAST)
    elsewhere = replace(evidence, places=evidence.places.of(0))
    assert judge(elsewhere, FAST).champion != judge(evidence, FAST).champion


def all_of(evidence: Evidence) -> Membership:
    return Membership(LEVEL, "all", np.ones(evidence.champion.count, np.bool_))


def test_the_interval_is_students_and_of_the_attempts_level() -> None:
    evidence = a_gate(5, 2.2)
    found = paired_difference(evidence, FAST.bootstrap)
    for attempt, tail in ((1, 0.025), (2, 0.05 / 6), (10, 0.05 / 110)):
        verdict = judge(evidence, FAST, attempt)
        half = stats.t(verdict.images - 1).isf(tail) * found.error
        expected = (found.difference - half, found.difference + half)
        assert verdict.interval == pytest.approx(expected)
        assert verdict.level == pytest.approx(1 - 2 * tail)
        assert verdict.promoted == (expected[0] > 0)


def test_a_much_better_one_is_promoted_and_a_worse_one_or_the_same_is_not() -> None:
    better, worse, same = a_gate(1, 3.0), a_gate(1, 1.0), a_gate(1)
    same = replace(same, challenger=same.champion)
    promoted = judge(better, FAST)
    assert promoted.promoted
    assert promoted.interval is not None
    assert 0 < promoted.interval[0] < promoted.difference
    assert promoted.reasons[-1].startswith("promoted: ")
    for evidence in (worse, same):
        verdict = judge(evidence, FAST)
        assert not verdict.promoted
        assert "the interval does not lie above 0" in verdict.reasons[1]
    assert judge(same, FAST).interval == (0.0, 0.0)


@pytest.mark.parametrize(("mended", "attempt"), [(5, 1), (6, 1), (9, 2), (15, 10)])
def test_a_few_images_tell_two_models_apart_only_where_chance_would_not(
    mended: int, attempt: int
) -> None:
    """All in favour of the challenger; 5 by chance in 3.1% of all cases, 6 in 1.6%."""
    evidence = a_gate(1, world=GateWorld(sent=1.0))
    own = evidence.champion
    wrong = np.flatnonzero((own.probabilities > 0.5) != own.labels)[:mended]
    probabilities = own.probabilities.copy()
    probabilities[wrong] = own.labels[wrong]
    verdict = judge(
        replace(evidence, challenger=replace(own, probabilities=probabilities)), FAST, attempt
    )
    assert verdict.promoted == (0.5**mended <= 0.05 / (attempt * (attempt + 1)))
    if not verdict.promoted:
        assert "5 source images tell the two apart, 6 are needed" in verdict.reasons[1]


def test_shuffled_labels_teach_nothing_and_are_refused() -> None:
    log = a_log(GateWorld(), 4)
    guesses = replace(
        log.challenges, probabilities=np.random.default_rng(4).random(log.challenges.count)
    )
    verdict = judge(evidence_of(log, answers(log, 1.9, 1), guesses), FAST)
    assert not verdict.promoted
    assert verdict.interval is not None
    assert verdict.interval[1] < 0


def losing_in(evidence: Evidence, part: Membership) -> Evidence:
    """The same, with a challenger that is wrong in a slice and right everywhere else."""
    right = evidence.champion.labels.astype(float)
    probabilities = np.where(part.members, 1 - right, right)
    return replace(evidence, challenger=replace(evidence.challenger, probabilities=probabilities))


def test_a_slice_that_loses_refuses_whatever_is_gained_elsewhere() -> None:
    evidence = a_gate(2, world=GateWorld(images=900, sent=1.0))
    (part,) = [part for part in evidence.slices if part.value == "city 3"]
    verdict = judge(losing_in(evidence, part), FAST)
    assert verdict.interval is not None
    gained_elsewhere = replace(losing_in(evidence, part), slices=[])
    # a sixth of all answers is wrong: no reward is gained by that
    assert not judge(gained_elsewhere, FAST).promoted
    few = replace(part, members=part.members & (np.cumsum(part.members) <= 12))
    guarded = replace(losing_in(evidence, few), slices=[few, all_of(evidence)])
    refused = judge(guarded, FAST)
    assert refused.interval is not None
    assert refused.interval[0] > 0
    assert [(found.field, found.value) for found in refused.slices if found.fails] == [
        (CITY, "city 3")
    ]
    assert "refused: city city 3 loses accuracy" in refused.reasons[1]
    assert not refused.promoted
    assert judge(replace(guarded, slices=[all_of(evidence)]), FAST).promoted
    # a bound that allows all of it promotes
    assert judge(guarded, replace(FAST, city_bound=1.0)).promoted


def test_a_loss_that_is_not_shown_or_within_the_bound_refuses_nobody() -> None:
    evidence = a_gate(2, 3.0)
    verdict = judge(evidence, FAST)
    assert {part.field for part in verdict.slices} == {
        "city",
        "level",
        "era",
        "label",
        "NULL pattern",
    }
    # each is wide: a slice below 0 is not yet one that is shown to lose
    for part in verdict.slices:
        assert part.interval[0] < part.difference < part.interval[1]
        assert part.fails == (part.interval[1] < -part.bound)
    assert verdict.promoted


def test_small_slices_and_gates_are_left_out_and_counted() -> None:
    evidence = a_gate(2, 3.0)
    tiny = Membership(LABEL, "rare", evidence.champion.images < 9)
    verdict = judge(
        replace(evidence, slices=[tiny, all_of(evidence)], small_slices={CITY: 4}), FAST
    )
    assert dict(verdict.slices_left_out) == {CITY: 4, LABEL: 1}
    assert [part.value for part in verdict.slices] == ["all"]
    few = judge(a_gate(2, 9.0, GateWorld(images=29)), FAST)
    assert (few.promoted, few.interval) == (False, None)
    assert "29 source images are fewer than the 30" in few.reasons[1]


def test_a_challenger_of_unknown_training_is_refused_an_unknown_champion_is_not() -> None:
    evidence = a_gate(1, 3.0)
    refused = judge(replace(evidence, training_unknown=["challenger"]), FAST)
    assert not refused.promoted
    assert "rows that the challenger was trained on are not known" in refused.reasons[1]
    assert judge(replace(evidence, training_unknown=["champion"]), FAST).promoted


def test_roles_changed_the_difference_changes_its_sign() -> None:
    evidence = a_gate(8, 2.2)
    turned = replace(evidence, champion=evidence.challenger, challenger=evidence.champion)
    one, other = judge(evidence, FAST), judge(turned, FAST)
    assert one.difference == -other.difference
    assert one.interval is not None
    assert other.interval == pytest.approx((-one.interval[1], -one.interval[0]))


def test_evidence_of_different_challenges_is_a_mistake_and_settings_have_ranges() -> None:
    evidence = a_gate(1)
    labels = 1 - evidence.champion.labels
    with pytest.raises(ValueError, match="labels of champion and challenger differ"):
        replace(evidence, challenger=replace(evidence.challenger, labels=labels))
    with pytest.raises(RunError, match=r"gate setting alpha: found 0\.7"):
        GateSettings(alpha=0.7)
