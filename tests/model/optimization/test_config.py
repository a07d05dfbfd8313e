from dataclasses import replace

import pytest

from data.errors import RunError
from model.backbone.settings import AdapterSettings
from tests.model.optimization.toy import QUICK

FEATURES = 16


def test_settings_of_adapters_need_adapters() -> None:
    adapter = AdapterSettings(rank=4)
    frozen = replace(QUICK, backbone=replace(QUICK.backbone, adapter=adapter))
    with pytest.raises(RunError, match=r"--adapter-rank: found 4 with --train-backbone none"):
        frozen.resolved(FEATURES)
    adapted = replace(QUICK, backbone=replace(QUICK.backbone, adapter=adapter, trained="adapters"))
    assert adapted.resolved(FEATURES).backbone.adapter == adapter
