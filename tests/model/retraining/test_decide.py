from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data.errors import RunError
from model.retraining.decide import Evidence, decide
from model.retraining.drift import Drift
from model.retraining.settings import DecisionSettings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
QUIET = Evidence(now=NOW, last=NOW - timedelta(days=30), new_rows=1000)
DRIFTED = Drift(size=0.4, chance=0.05, p_value=0.0005, before=500, after=300)


def test_nothing_new_is_not_due() -> None:
    decision = decide(QUIET)
    assert not decision.due
    assert decision.reasons == decision.hindrances == ()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"new_eras": ("E9",)}, "era E9 is new"),
        ({"cities": DRIFTED}, "cities' shares drifted by 0.400 (0.050 by chance alone; tolerated"),
        ({"gates": DRIFTED}, "views' shares drifted by 0.400"),
        ({"nulls": {"weather": DRIFTED}}, "NULL rate of weather drifted by 0.400"),
        ({"reward": (-0.1, (-0.15, -0.05))}, "reward fell by 0.100 against the miners' (0.050 to"),
    ],
)
def test_each_kind_of_evidence_is_a_reason(change: dict[str, Any], reason: str) -> None:
    decision = decide(replace(QUIET, **change))
    assert decision.due
    [said] = decision.reasons
    assert reason in said


@pytest.mark.parametrize(
    "change",
    [
        {"cities": replace(DRIFTED, size=0.14)},  # 0.09 beyond chance
        {"cities": replace(DRIFTED, p_value=0.06)},
        {"gates": replace(DRIFTED, size=0.09)},
        {"reward": (-0.1, (-0.19, -0.01))},
        {"reward": (0.1, (0.05, 0.15))},
    ],
)
def test_what_is_small_or_could_be_chance_is_no_reason(change: dict[str, Any]) -> None:
    assert not decide(replace(QUIET, **change)).due


def test_many_tests_need_more_to_say_no_chance() -> None:
    weak = replace(DRIFTED, p_value=0.02)
    assert decide(replace(QUIET, nulls={"weather": weak})).due
    no_drift = replace(DRIFTED, size=0.0, p_value=1.0)
    others = {f"field {number}": no_drift for number in range(5)}
    assert not decide(replace(QUIET, nulls={"weather": weak, **others})).due


@pytest.mark.parametrize(
    ("change", "hindrance"),
    [
        ({"last": NOW - timedelta(days=1)}, "the last retraining was 1.0 days ago (cool-down: 3)"),
        ({"last": NOW + timedelta(days=1)}, "0.0 days ago"),  # a clock that was set back
        ({"new_rows": 99}, "99 source rows are new to the champion (enough: 100)"),
    ],
)
def test_a_reason_can_be_hindered(change: dict[str, Any], hindrance: str) -> None:
    decision = decide(replace(QUIET, cities=DRIFTED, **change))
    assert not decision.due
    assert len(decision.reasons) == 1
    [said] = decision.hindrances
    assert hindrance in said


def test_the_first_retraining_has_no_cool_down() -> None:
    decision = decide(replace(QUIET, last=None, cities=DRIFTED))
    assert decision.due
    [said] = decision.sentences
    assert said.startswith("a retraining is due: cities' shares drifted")


@pytest.mark.parametrize(
    "wrong", [{"city_share": 1.1}, {"level": 1.0}, {"cool_down_days": -1.0}, {"new_rows": 0.5}]
)
def test_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(RunError, match="decision setting"):
        DecisionSettings(**wrong)
