"""What tests of whole trainings share."""

from collections.abc import Iterator

import pytest
import torch

from data.scenes.parquet import write_shards
from data.sources.shards import Shards
from tests.model.optimization.known_costs import costs_are_known
from tests.model.optimization.toy import cpu_accelerator
from tests.model.training.tiny import SCENES


@pytest.fixture(autouse=True, scope="package")
def memory_is_known() -> Iterator[None]:
    with costs_are_known():
        yield


@pytest.fixture(scope="session")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    """Drawn scenes; no test changes them."""
    folder = tmp_path_factory.mktemp("sources")
    write_shards(folder, SCENES)
    return Shards(folder)


@pytest.fixture
def on_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trainings in this process, one after another, on the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr("model.training.train.make_accelerator", cpu_accelerator)
