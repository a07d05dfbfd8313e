"""All slices at once against each on its own, to the bit, and against values fixed before that."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.comparison.paired_answers import Answers, PairedAnswers
from analytics.slices.scores import SliceSettings, slices
from tests.analytics.comparison.simulated_answers import WorldSettings, world
from tests.analytics.slices.flagged import Flagged, coded
from tests.analytics.slices.plain_slices import plain_slices

FEW = SliceSettings(BootstrapSettings(draws=12, threads=2), cost_draws=5, least_answers=20)
ODD = np.array([-1.0, np.nan, np.inf, 1.7, -0.7, -0.3, 1.2, 0.5])


def random_world(seed: int, *, odd: bool) -> PairedAnswers:
    """Repeated challenges, possible images by thirds, several lives and hotkeys, other rewards."""
    rng = np.random.default_rng(seed)
    variants = int(rng.integers(1, 4))
    shape = WorldSettings(images=30, challenges=150, miners=4, variants=variants, seed=seed)
    paired = world(replace(shape, asked=2)).paired
    challenges, answers = paired.challenges, paired.answers
    prediction, asked = answers.prediction.copy(), answers.challenge.copy()
    replaced = rng.random(len(prediction)) < (0.1 if odd else 0.0)
    prediction[replaced] = rng.choice(ODD, replaced.sum())
    for start, end in zip(answers.starts[:-1], answers.starts[1:], strict=True):
        # some are asked twice in one challenge
        asked[start:end] = np.sort(rng.choice(asked[start:end], end - start))
    return PairedAnswers(
        replace(
            challenges,
            lives=np.sort(rng.integers(0, 3, 150)).astype(np.int32),
            exponents=np.where(np.arange(150) < 60, 1, 3).astype(np.int8),
        ),
        Answers(answers.starts, asked, (asked // 70).astype(np.int32), prediction),
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_all_at_once_are_each_on_its_own_to_the_bit(seed: int, odd: bool) -> None:
    paired, rng = random_world(seed, odd=odd), np.random.default_rng(seed)
    shares = rng.random(6)
    parts = [
        Flagged("field", str(number), rng.random(150) < share)
        for number, share in enumerate(shares)
    ]
    parts.append(Flagged("other field", "all", np.ones(150, np.bool_)))
    parts.append(Flagged("other field", "none", np.zeros(150, np.bool_)))
    assert slices(paired, coded(parts), FEW) == plain_slices(paired, parts, FEW)


def test_threads_change_no_number() -> None:
    paired = random_world(3, odd=True)
    members = coded([Flagged("field", str(k), np.arange(150) % 3 == k) for k in range(3)])
    one_thread = replace(FEW, bootstrap=replace(FEW.bootstrap, threads=1))
    assert slices(paired, members, one_thread) == slices(paired, members, FEW)


def test_values_are_those_of_one_pass_a_slice_before_all_were_scored_at_once() -> None:
    shape = WorldSettings(images=60, challenges=500, miners=5, asked=3, variants=3, seed=4)
    paired = world(shape).paired
    prediction, answers = paired.answers.prediction.copy(), paired.answers
    prediction[::7], prediction[3::11], prediction[5::13] = 1.7, -1.0, np.nan
    odd = Answers(answers.starts, answers.challenge, answers.spell, prediction)
    place = np.arange(500)
    parts = [Flagged("third", "2", place % 3 == 2), Flagged("first", "200", place < 200)]
    bootstrap = BootstrapSettings(draws=200)
    first, third = slices(
        PairedAnswers(paired.challenges, odd), coded(parts), SliceSettings(bootstrap, cost_draws=40)
    )
    assert (first.n, first.challenges, first.images) == (501, 200, 56)
    assert (first.accuracy, first.miners_accuracy) == pytest.approx(
        (0.6413838988689288, 0.6506986027944112), rel=1e-14
    )
    # the last bits of sums over thirds hung on the order of polars' threads
    assert first.accuracy_interval == pytest.approx(
        (-0.07471038897870572, 0.05555785604236646), rel=1e-13
    )
    assert (first.mcc, first.miners_mcc) == pytest.approx(
        (0.29190739895868606, 0.3985628545719019), rel=1e-14
    )
    assert first.own_mcc_interval == pytest.approx(
        (0.12668395119366857, 0.45534133414933164), rel=1e-13
    )
    assert first.cost == -0.08216099620827036
    assert first.cost_interval == (-0.1510789110982271, -0.03344272362358185)
    assert (third.n, third.challenges, third.images) == (426, 166, 57)
    assert third.mcc_interval == pytest.approx(
        (-0.39194312855608815, -0.10095231802532215), rel=1e-13
    )
    assert third.cost == -0.10031188249817943
    assert third.cost_interval == (-0.18136302397517334, -0.0479815862666342)
