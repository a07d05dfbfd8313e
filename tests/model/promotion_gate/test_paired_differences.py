"""Differences of reward, MCC and accuracy against the tracker and scikit-learn."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, matthews_corrcoef

from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.comparison.paired_answers import Challenges
from analytics.scoring.metrics import Floats
from analytics.scoring.tracker import Tracker
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.guarded_slices import Membership
from model.promotion_gate.judge import judge
from model.promotion_gate.paired_differences import paired_difference, slice_differences
from model.promotion_gate.settings import LEVEL, GateSettings
from tests.model.promotion_gate.simulated_gates import GateWorld, a_gate

FAST = GateSettings(draws=100)
DRAWS = BootstrapSettings(draws=20, threads=2)
SMALL = GateWorld(images=40, miners=3, asked=2)


def in_the_tracker(
    evidence: Evidence, side: Challenges, repeats: NDArray[np.uint8] | None = None
) -> float:
    """Mean reward of a side in every miner's place, one answer after the other."""
    assert evidence.places is not None
    places, tracker, rewards = evidence.places, Tracker(), []
    for miner in range(places.count):
        asked = places.of(miner).challenge
        if repeats is not None:
            asked = np.repeat(asked, repeats[side.images[asked]])
        # answers of one challenge stand together, so its repeats keep their order
        scored = tracker.answer(
            np.full(len(asked), miner),
            0,
            side.probabilities[asked],
            side.labels[asked],
            side.exponents[asked],
        )
        rewards.append(scored.reward)
    return float(np.concatenate(rewards).mean())


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_rewards_are_the_trackers_in_every_place_also_of_resampled_logs(seed: int) -> None:
    evidence = a_gate(seed, 2.5, SMALL)
    found = paired_difference(evidence, DRAWS)
    assert found.champion == pytest.approx(in_the_tracker(evidence, evidence.champion))
    assert found.challenger == pytest.approx(in_the_tracker(evidence, evidence.challenger))
    for draw in (0, 7, 19):
        repeats = image_repeats(SMALL.images, DRAWS, draw)
        own, other = (
            in_the_tracker(evidence, side, repeats)
            for side in (evidence.champion, evidence.challenger)
        )
        assert found.draws[draw] == pytest.approx(other - own)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_where_no_miner_was_asked_mcc_is_scikit_learns(seed: int) -> None:
    evidence = a_gate(seed, 2.5, replace(SMALL, logged=False))
    found = paired_difference(evidence, DRAWS)
    sides = evidence.champion, evidence.challenger

    def mccs(weights: Floats) -> list[float]:
        return [
            matthews_corrcoef(side.labels, side.probabilities > 0.5, sample_weight=weights)
            for side in sides
        ]

    assert [found.champion, found.challenger] == pytest.approx(mccs(np.ones(sides[0].count)))
    for draw in (0, 19):
        weights = image_repeats(SMALL.images, DRAWS, draw)[sides[0].images]
        own, other = mccs(weights.astype(float))
        assert found.draws[draw] == pytest.approx(other - own)
    assert judge(evidence, FAST).statistic == "mcc"


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_slices_are_scikit_learns_accuracies(seed: int) -> None:
    evidence = a_gate(seed, 2.5, SMALL)
    found = slice_differences(evidence, evidence.slices, DRAWS)
    sides = evidence.champion, evidence.challenger
    labels, images = sides[0].labels, sides[0].images
    for index, part in enumerate(evidence.slices):
        assert found.n[index] == part.members.sum()
        assert found.images[index] == len(set(images[part.members]))
        for draw in (None, 0, 19):
            weights = np.ones(len(images))
            if draw is not None:
                weights = image_repeats(SMALL.images, DRAWS, draw)[images].astype(float)
            weights = weights[part.members]
            if not weights.sum():
                continue
            own, other = (
                accuracy_score(
                    labels[part.members],
                    side.probabilities[part.members] > 0.5,
                    sample_weight=weights,
                )
                for side in sides
            )
            value = found.points[index] if draw is None else found.draws[draw, index]
            assert value == pytest.approx(other - own)
            if draw is None:
                assert found.champion[index] == pytest.approx(own)


def test_possible_images_count_by_their_weights() -> None:
    evidence = a_gate(3, 2.5, replace(SMALL, logged=False))
    side = evidence.challenger
    # every challenge is one of four images, of which one is answered the other way
    several = replace(
        side,
        starts=side.starts * 4,
        probabilities=np.column_stack([side.probabilities] * 3 + [1 - side.probabilities]).ravel(),
        weights=np.full(4 * side.count, 0.25),
    )
    found = slice_differences(
        replace(evidence, challenger=several), [all_of(evidence)], DRAWS
    ).points[0]
    right = float(((side.probabilities > 0.5) == side.labels).mean())
    own = float(((evidence.champion.probabilities > 0.5) == side.labels).mean())
    assert found == pytest.approx(0.75 * right + 0.25 * (1 - right) - own)
    logged = a_gate(3, 2.5, SMALL)
    exact, drawn = (
        judge(replace(logged, challenger=challenger), FAST)
        for challenger in (logged.challenger, several)
    )
    assert exact.champion == pytest.approx(drawn.champion)
    assert drawn.challenger < exact.challenger


@settings(max_examples=5)
@given(st.integers(0, 2**32 - 1))
def test_exchanged_answers_are_those_of_two_models_that_took_turns(seed: int) -> None:
    for logged in (True, False):
        evidence = a_gate(seed, 2.5, replace(SMALL, logged=logged))
        found = paired_difference(evidence, DRAWS)
        own, other = evidence.champion, evidence.challenger
        for draw in (0, 19):
            turned = np.random.default_rng([DRAWS.seed, draw, 1]).random(SMALL.images) < 0.5
            mixed = np.where(turned[own.images], other.probabilities, own.probabilities)
            rest = np.where(turned[own.images], own.probabilities, other.probabilities)
            sides = [replace(own, probabilities=values) for values in (mixed, rest)]
            if logged:
                first, second = (in_the_tracker(evidence, side) for side in sides)
            else:
                first, second = (
                    matthews_corrcoef(side.labels, side.probabilities > 0.5) for side in sides
                )
            assert found.exchanged[draw] == pytest.approx(second - first)


def test_the_error_is_that_of_the_draws_that_spread_more() -> None:
    found = paired_difference(a_gate(3, world=GateWorld(images=200)), FAST.bootstrap)
    spread = found.draws.std(ddof=1), np.sqrt((found.exchanged**2).mean())
    assert found.error == pytest.approx(max(spread))
    # of equally good models about 0 on average
    assert abs(found.exchanged.mean()) < 4 * spread[1] / np.sqrt(100)


def all_of(evidence: Evidence) -> Membership:
    return Membership(LEVEL, "all", np.ones(evidence.champion.count, np.bool_))


def test_the_same_is_judged_the_same_with_any_number_of_threads() -> None:
    evidence = a_gate(7, 2.2)
    one, many = (
        paired_difference(evidence, replace(FAST.bootstrap, threads=threads)) for threads in (1, 5)
    )
    assert np.array_equal(one.draws, many.draws)
    assert np.array_equal(one.exchanged, many.exchanged)
    assert judge(evidence, FAST) == judge(evidence, FAST)
