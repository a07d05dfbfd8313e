"""The guess of how long a replay takes, from images whose costs are known."""

from typing import Any

import numpy as np
import pytest

from data.sources.shards import Shards
from data.store import Store
from replay.answering.image_workers import image_builder
from replay.answering.part_predictor import PartPredictor
from replay.answering.part_work import PartWork
from replay.plans.plan import Plan, Planned, plan
from replay.rebuilding.image_keys import ImageKeys
from replay.runs.forecast import Forecast, forecast
from replay.settings import Arithmetic, VariantSettings
from tests.replay.runs.brightness import Brightness
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard


@pytest.fixture
def planned(store: Store, record: dict[str, Any]) -> Plan:
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240)))])
    for k in range(40):
        strong = {**level_1(1.0, [0, k, 100, 100]), "data_aug_level": 3}
        world.ask(0, **(strong if k % 2 else LEVEL_0))
    world.ask(0, source="synthetic", **LEVEL_0)
    return plan(world.ingest(), world.shards, VariantSettings(5))


def test_costs_of_first_and_further_images_are_scaled_up_apart(planned: Plan) -> None:
    tried: list[tuple[str, int]] = []

    def time_image(item: Planned, variant_index: int) -> tuple[float, float]:
        tried.append((item.challenge.challenge_id, variant_index))
        if len(tried) == 1:
            return 100.0, 100.0  # what is loaded once must not count
        return (0.010, 0.5) if variant_index == 0 else (0.002, 0.5)

    found = forecast(planned, planned.reading_order, time_image)
    images = sum(len(item.variants) for item in planned)
    assert (found.challenges, found.images) == (41, images)
    assert images == 20 + 20 * 5
    assert any(variant_index for _, variant_index in tried)
    assert found.rebuild_seconds == pytest.approx(0.010 * 40 + 0.002 * 80)
    assert found.predict_seconds == pytest.approx(0.5 * images)
    assert len(tried) <= 10


def test_nothing_left_takes_no_time_and_tries_nothing(planned: Plan) -> None:
    def refuse(_item: Planned, _variant_index: int) -> tuple[float, float]:
        raise AssertionError

    impossible = np.flatnonzero(planned.image_counts == 0)
    assert forecast(planned, impossible, refuse) == Forecast(1, 0, 0.0, 0.0)


def test_processes_are_used_where_they_pay() -> None:
    assert Forecast(9, 9, rebuild_seconds=15.0, predict_seconds=900.0).workers(cores=2) == 1
    assert Forecast(9, 9, rebuild_seconds=900.0, predict_seconds=1.0).workers(cores=2) == 2
    assert Forecast(9, 9, rebuild_seconds=900.0, predict_seconds=1.0).workers(cores=1) == 1
    long = Forecast(9, 9, rebuild_seconds=900.0, predict_seconds=600.0)
    assert long.seconds(1) == 1500
    assert 600 < long.seconds(2) < 700


def test_an_image_costs_its_share_of_a_batch_that_is_filled_up(
    planned: Plan, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on by one second whenever it is read."""

    class Fills(Brightness):
        batch_size = 4

    shards = Shards(store.sources)
    keys = ImageKeys(shards, 0, Arithmetic.AVX2)
    with image_builder(shards, 0, 1) as build:
        for candidate, predict in ((Brightness(), 1), (Fills(), 0.25)):
            predictor = PartPredictor(candidate, keys)
            with monkeypatch.context() as patched:
                patched.setattr("time.perf_counter", iter(range(100)).__next__)
                assert predictor.time_image(build, PartWork(0, [planned[0]]), 0) == (1, predict)
