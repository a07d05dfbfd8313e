"""Source images of simulated records: described, generated, or never sent."""

from datetime import UTC, datetime

import pytest

from analytics.simulation.sources import SimulatedSource
from analytics.simulation.validator import simulate
from data.records.media_record import read_challenge
from data.records.types import NullKind, Origin
from tests.worlds.simulated_logs import golden_sources, small_log, small_settings


def test_a_description_is_there_if_and_only_if_the_label_is_1() -> None:
    for record in small_log("E7") + small_log("E7", 200, 0.5):
        assert bool(record["metadata"]["scene_description"]) == (record["label"] == 1)
        assert record["metadata"]["label"] == record["label"]


def test_sources_that_contradict_themselves_are_never_sent() -> None:
    odd = SimulatedSource(
        "x.parquet", 0, "png", (64, 48), "RGB", {"label": 1, "scene_description": None}
    )
    sent = {r["path"] for r in simulate(small_settings(challenges=60), (*golden_sources(), odd))}
    assert not any("x__image" in path for path in sent)
    with pytest.raises(ValueError, match="no source with label 0 and no scene_description"):
        next(simulate(small_settings(challenges=1), [odd]))


def test_synthetic_records_have_prompts_but_no_place_and_no_tags() -> None:
    lived = small_log("E7", 200, 0.5)
    synthetic = [record for record in lived if record["source"] == "synthetic"]
    assert 70 < len(synthetic) < 130
    assert {record["source_model_task"] for record in synthetic} == {"i2i", "t2i"}
    for position, record in enumerate(synthetic):
        challenge = read_challenge(record, Origin("simulated", position)).challenge
        for column in ("gps", "weather", "daytime", "environment"):
            assert challenge.nulls[column] is NullKind.ABSENT
        assert challenge.source.prompt
        assert challenge.source.model_name
        if record["label"] == 0:
            assert challenge.nulls["scene_description"] is NullKind.EMPTY


def test_text_to_image_starts_in_september_2025() -> None:
    tasks = {r["source_model_task"] for r in small_log("E6", 60, 1.0)}
    assert tasks == {"i2i"}
    started = datetime(2025, 10, 1, tzinfo=UTC)
    late = small_settings(challenges=60, era="E6", synthetic_share=1.0, started=started)
    assert {r["source_model_task"] for r in simulate(late, golden_sources())} == {"i2i", "t2i"}
