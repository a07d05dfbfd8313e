"""Settings of a model: their ranges, and what has to go together."""

from typing import Any

import pytest

from data.errors import RunError
from model.network.settings import ModelSettings


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"width": 100}, "a multiple of 4 x 8 heads"),
        ({"kv_heads": 3}, "a divisor of 8 heads"),
        ({"prune_after": 5}, "one of 4 layers"),
        ({"keep_views": 13}, "at most 12 views"),
        ({"gate": "none"}, "one of elementwise, headwise"),
        ({"precision": "fp16"}, "one of fp32, bf16"),
        ({"layers": 0}, "a whole number, at least 1 and at most 1000"),
        ({"layers": 1001}, "a whole number, at least 1 and at most 1000"),
        ({"heads": "8"}, "a whole number, at least 1"),
        ({"heads": 0}, "a whole number, at least 1"),
        ({"kv_heads": 0}, "a whole number, at least 1"),
        ({"width": 0}, "a whole number, at least 1"),
        ({"views": 0}, "a whole number, at least 1"),
        ({"features": 0}, "a whole number, at least 1"),
        ({"scorer_width": 0}, "a whole number, at least 1"),
        ({"dropout": 1.0}, "a finite number, at least 0 and below 1"),
        ({"drop_path": 1.5}, "a finite number, at least 0 and below 1"),
        ({"drop_view": -0.1}, "a finite number, at least 0 and below 1"),
        ({"drop_metadata": 1.0}, "a finite number, at least 0 and below 1"),
        ({"drop_field": float("nan")}, "a finite number, at least 0 and below 1"),
        ({"seed": 2**32}, "a whole number, at least 0 and at most 4294967295"),
    ],
)
def test_what_is_out_of_range_or_does_not_go_together_is_refused(
    wrong: dict[str, Any], expected: str
) -> None:
    (name,) = wrong
    with pytest.raises(RunError, match=f"^model setting {name}: found .*; expected {expected}$"):
        ModelSettings(**wrong)


def test_drop_path_rises_evenly_to_the_last_layer() -> None:
    assert ModelSettings(layers=3, prune_after=1, drop_path=0.5).drop_path_rates() == [0, 0.25, 0.5]
    assert ModelSettings(layers=1, prune_after=1, drop_path=0.5).drop_path_rates() == [0]
