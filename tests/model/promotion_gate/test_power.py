"""Power against closed forms, and the margin for what a pilot does not know."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from model.promotion_gate.judge import judge
from model.promotion_gate.paired_differences import image_gains, paired_difference
from model.promotion_gate.power import assumed_challenger, gate_power
from model.promotion_gate.settings import GateSettings, PowerSettings
from tests.model.promotion_gate.simulated_gates import GateWorld, a_gate

GATE = GateSettings(draws=200)
PILOT = GateWorld(images=300)


def test_the_size_is_the_closed_form_of_a_difference_of_means_times_the_margin() -> None:
    pilot = a_gate(1, world=PILOT)
    found = gate_power(pilot, PowerSettings(), GATE)
    error = paired_difference(pilot, GATE.bootstrap).error
    assert found.deviation == pytest.approx(error * np.sqrt(300))
    plain = (stats.norm.isf(0.025) + stats.norm.ppf(0.8)) ** 2 * (found.deviation / 0.05) ** 2
    gains = image_gains(pilot)
    freedom = 2 * len(gains) / (stats.kurtosis(gains, fisher=False) - 1)
    margin = freedom / stats.chi2(freedom).ppf(0.1)
    assert 1 < margin < 2
    assert found.images_needed == int(np.ceil(plain * margin))
    assert found.challenges_needed == int(np.ceil(found.images_needed * 1.3))
    # with these images the smallest difference is found as often as is wanted
    again = gate_power(pilot, PowerSettings(difference=found.smallest_here), GATE)
    assert again.power_here == pytest.approx(0.8)


def test_more_is_needed_for_less_and_for_later_attempts() -> None:
    pilot = a_gate(1, world=PILOT)
    sizes = [
        gate_power(pilot, PowerSettings(difference=difference), GATE).images_needed
        for difference in (0.1, 0.05, 0.025)
    ]
    assert sizes[1] == pytest.approx(4 * sizes[0], rel=0.01)
    assert sizes[2] == pytest.approx(16 * sizes[0], rel=0.01)
    first, tenth = (
        gate_power(pilot, gate=GATE, attempt=attempt).images_needed for attempt in (1, 10)
    )
    # the price of ten attempts is a logarithm's
    assert 1.5 < tenth / first < 2.5


def test_mcc_has_a_power_too_and_words_say_all() -> None:
    pilot = a_gate(1, world=replace(PILOT, logged=False))
    found = gate_power(pilot, gate=GATE, source="a first try")
    assert found.statistic == "mcc"
    assert f"needs {found.images_needed} source images" in found.sentence
    assert "300 (390) are here, too few" in found.sentence
    assert "(by a first try)" in found.sentence


def test_an_assumed_challenger_differs_as_much_as_is_said_and_is_as_good() -> None:
    pilot = a_gate(1, world=GateWorld(images=1000, sent=1.0))
    assumed = assumed_challenger(pilot, 0.1, seed=3)
    changed = assumed.challenger.probabilities != assumed.champion.probabilities
    assert changed.sum() == 100
    assert image_gains(assumed).sum() == 0
    right = assumed.champion.labels == (assumed.champion.probabilities > 0.5)
    assert (changed & right).sum() == (changed & ~right).sum() == 50
    assert not judge(assumed, GATE).promoted
    # a champion that is never wrong leaves nothing to put right
    perfect = replace(pilot.champion, probabilities=pilot.champion.labels.astype(float))
    spoiled = assumed_challenger(replace(pilot, champion=perfect), 0.1)
    assert (spoiled.challenger.probabilities != perfect.probabilities).sum() == 100


def test_an_assumed_one_asks_for_about_what_a_real_one_does() -> None:
    """Where as many answers differ; the real one differs on 13% of the images."""
    pilot = a_gate(1, world=GateWorld(images=1000, sent=1.0))
    disagreement = float((image_gains(pilot) != 0).mean())
    real = gate_power(pilot, gate=GATE).deviation
    assumed = gate_power(assumed_challenger(pilot, disagreement), gate=GATE).deviation
    assert assumed == pytest.approx(real, rel=0.2)


def test_a_pilot_without_any_difference_asks_for_the_least() -> None:
    pilot = a_gate(1, world=PILOT)
    found = gate_power(replace(pilot, challenger=pilot.champion), gate=GATE)
    assert (found.images_needed, found.power_here) == (30, 1.0)
