"""Settings of a training's data: their ranges."""

from typing import Any

import pytest

from data.errors import RunError
from model.datasets.settings import DatasetSettings
from model.rows.settings import SplitSettings


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (SplitSettings, {"validation": 0}),
        (SplitSettings, {"validation": 1}),
        (SplitSettings, {"holdout": -0.1}),
        (SplitSettings, {"holdout": 1}),
        (SplitSettings, {"seed": 2**32}),
        (DatasetSettings, {"draws": 0}),
        (DatasetSettings, {"era": "E7"}),
        (DatasetSettings, {"level_shares": [0.25, 0.25, 0.25, 0.25]}),
        (DatasetSettings, {"level_shares": (0.5, 0.5, 0.5, -0.5)}),
        (DatasetSettings, {"level_shares": (0.5, 0.5, 0.0, float("nan"))}),
        (DatasetSettings, {"level_shares": (0.5, 0.5, 0.5)}),
        (DatasetSettings, {"level_shares": (0.2, 0.2, 0.2, 0.2, 0.2)}),
        (DatasetSettings, {"level_shares": (0.0, 0.0, 0.0, 0)}),
        (DatasetSettings, {"level_shares": (1e308, 1e308, 1e308, 1e308)}),
        (DatasetSettings, {"workers": -1}),
        (DatasetSettings, {"randaugment": 1}),
        (DatasetSettings, {"cutout": -1}),
        (DatasetSettings, {"mixup": -0.1}),
        (DatasetSettings, {"metadata": None}),
        (DatasetSettings, {"arithmetic": "avx2"}),
    ],
)
def test_settings_out_of_range_are_refused(settings: Any, wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(RunError, match=f"^[a-z]+ setting {name}: found .*; expected "):
        settings(**wrong)


def test_a_split_leaves_rows_to_train_on() -> None:
    with pytest.raises(RunError, match=r"found 0\.5 and 0\.5; expected a sum below 1"):
        SplitSettings(validation=0.5, holdout=0.5)
    assert SplitSettings(validation=0.5, holdout=0.49).holdout == 0.49
