"""The ends of sliders are values that the policy takes."""

from dataclasses import replace
from typing import Any

import pytest

from dashboards.retraining.policy_sliders import limits
from data.settings import Setting, settings_of
from model.weighting.policy import WeightPolicy


def settings(part: Any) -> tuple[Setting, ...]:
    kind: type = type(part)
    return settings_of(kind)


NUMBERS = [
    pytest.param(part, one, id=f"{name}.{one.name}")
    for name, part in WeightPolicy().tables.items()
    for one in settings(part)
    if one.kind is float
]


@pytest.mark.parametrize(("part", "one"), NUMBERS)
def test_both_ends_are_accepted_and_the_default_is_on_a_step(part: Any, one: Setting) -> None:
    default = getattr(part, one.name)
    low, high, step = limits(one, default)
    assert low <= default <= high
    assert one.accepts(low)
    assert one.accepts(high)
    assert (default - low) / step == pytest.approx(round((default - low) / step))
    if not one.name.endswith("_km"):  # whose distances have to rise
        replace(part, **{one.name: low})
        replace(part, **{one.name: high})
