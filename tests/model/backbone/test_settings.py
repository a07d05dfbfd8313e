"""Settings of a backbone and its adapters: their ranges."""

from typing import Any

import pytest

from data.errors import RunError
from model.backbone.settings import AdapterSettings, BackboneSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 3},
        {"weights": None},
        {"side": 0},
        {"side": 224.0},
        {"seed": -1},
        {"seed": 2**32},
        {"trained": "some"},
        {"trained": True},
        {"last_blocks": 0},
        {"checkpointing": 1},
        {"precision": "fp16"},
        {"adapter": "lora"},
    ],
)
def test_backbone_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(RunError, match=f"backbone setting {name}: found "):
        BackboneSettings(**wrong)


@pytest.mark.parametrize(
    "wrong",
    [{"kind": "vera"}, {"rank": 0}, {"alpha": 0}, {"alpha": float("inf")}, {"dropout": 1}],
)
def test_adapter_settings_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(RunError, match=f"adapter setting {name}: found "):
        AdapterSettings(**wrong)
