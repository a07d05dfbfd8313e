"""Slices of a replay against the records themselves, and what the candidate was trained on."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.ingest.ingest import ingest
from analytics.slices.scores import SliceSettings
from analytics.warehouse.connection import reading
from data.store import Store
from replay.comparing.loaded_answers import TRAINED_ON, run_answers
from replay.comparing.results import Comparison
from replay.comparing.slices import FIELDS, memberships
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from tests.analytics.slices.flagged import flagged
from tests.conftest import golden_records
from tests.worlds.replays import ids_by_position, publish_replay

DRAWS = BootstrapSettings(draws=100)
# More values than these have only fields of free text.
FEW = SliceSettings(most_values=40)


@pytest.fixture
def records(store: Store, golden: Path) -> list[dict[str, Any]]:
    """Golden E9 with a candidate that answers each challenge."""
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    guesses = np.random.default_rng(0).random(1000)
    publish_replay(store, {one: float(guesses[k]) for k, one in ids_by_position(store).items()})
    return golden_records(golden, "e9")


def flags(store: Store) -> dict[tuple[str, str], set[int]]:
    """The positions in the log of each slice's challenges."""
    positions = {one: k for k, one in ids_by_position(store).items()}
    with reading(store) as connection:
        answers = run_answers(connection, "latest")
        found = memberships(connection, answers)
    ids = answers.challenges["challenge_id"].to_list()
    return {
        (one.field, one.value): {positions[ids[k]] for k in np.flatnonzero(one.members)}
        for one in flagged(found.members)
    }


def test_slices_hold_the_challenges_whose_records_say_so(
    store: Store, records: list[dict[str, Any]]
) -> None:
    found = flags(store)
    assert {field for field, _ in found} == set(FIELDS)
    everyone = set(range(len(records)))
    for level in range(4):
        expected = {k for k in everyone if records[k]["data_aug_level"] == level}
        assert found["level", f"level {level}"] == expected
    for label, name in enumerate(("none", "roadwork")):
        assert found["label", name] == {k for k in everyone if records[k]["label"] == label}
    named: dict[tuple[str, str], set[int]] = {}
    for k, record in enumerate(records):
        source = record["metadata"].get("source_parquet"), record["metadata"].get("original_index")
        named.setdefault(source if all(source) else ("", str(k)), set()).add(k)
    assert found["image", "first sight"] == {min(same) for same in named.values()}
    for field in FIELDS:
        # every challenge is in a slice of every field, except of GPS, which some do not have
        members = set().union(*(where for (of, _), where in found.items() if of == field))
        assert members == everyone or field == "neighbourhood"


def test_a_comparison_has_slices_where_asked(store: Store, records: list[dict[str, Any]]) -> None:
    with reading(store) as connection:
        without = compare_with_miners(connection, "latest", CompareSettings(DRAWS))
        by = CompareSettings(DRAWS, slices=SliceSettings(DRAWS, cost_draws=5))
        found = compare_with_miners(connection, "latest", by)
    assert without.slices == []
    assert {one.field for one in found.slices} <= set(FIELDS)
    whole = next(one for one in found.slices if (one.field, one.value) == ("era", "E9"))
    assert whole.n == sum(miner.score.n for miner in found.miners)


def test_free_text_makes_no_slice_a_value(
    store: Store, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A value a challenge would be as many passes over all answers."""
    for place, record in enumerate(records):
        record["metadata"]["scene_level_tags.scene_environment"] = f"free text {place}"
    log = tmp_path / "free.jsonl"
    log.write_text("".join(json.dumps(record) + "\n" for record in records))
    free = Store(tmp_path / "free")
    ingest(free, [log])
    publish_replay(free, dict.fromkeys(ids_by_position(free).values(), 0.7))
    with reading(store) as connection:
        before = memberships(connection, run_answers(connection, "latest"), settings=FEW)
    with reading(free) as connection:
        found = memberships(connection, run_answers(connection, "latest"), settings=FEW)
    assert FEW.most_values < len(records)
    assert found.left_out == {"environment": len(records)}
    assert before.left_out == {}
    kept = [one for one in before.members.values if one[0] != "environment"]
    assert found.members.values == kept


def test_of_many_values_those_with_most_challenges_are_slices(
    store: Store, records: list[dict[str, Any]]
) -> None:
    with reading(store) as connection:
        answers = run_answers(connection, "latest")
        whole = memberships(connection, answers)
        few = memberships(connection, answers, settings=SliceSettings(most_values=2))
    sizes = {(one.field, one.value): int(one.members.sum()) for one in flagged(whole.members)}
    levels = sorted((-n, value) for (field, value), n in sizes.items() if field == "level")
    kept = {one.value for one in flagged(few.members) if one.field == "level"}
    assert kept == {value for _, value in levels[:2]}
    assert few.left_out["level"] == len(levels) - 2


def test_slices_hold_no_challenge_that_is_left_out(
    store: Store, records: list[dict[str, Any]]
) -> None:
    """With one row as a training row, levels are those of the others."""
    with reading(store) as connection:
        training = connection.sql(
            "SELECT DISTINCT parquet, row, vid_id, gps_lat, gps_lon FROM media "
            "WHERE parquet IS NOT NULL AND position = 0"
        ).pl()
        answers = run_answers(connection, "latest", training)
        found = memberships(connection, answers)
    positions = {one: k for k, one in ids_by_position(store).items()}
    kept = [positions[one] for one in answers.challenges["challenge_id"]]
    assert 0 < len(kept) < len(records)
    for one in flagged(found.members):
        if one.field == "level":
            levels = {records[kept[k]]["data_aug_level"] for k in np.flatnonzero(one.members)}
            assert levels == {int(one.value.removeprefix("level "))}


def trained(store: Store, rows: list[tuple[str, int]]) -> Comparison:
    training = pl.DataFrame(
        {
            "parquet": [parquet for parquet, _ in rows],
            "row": [row for _, row in rows],
            "vid_id": pl.Series([None] * len(rows), dtype=pl.String),
            "gps_lat": pl.Series([None] * len(rows), dtype=pl.Float64),
            "gps_lon": pl.Series([None] * len(rows), dtype=pl.Float64),
        }
    )
    with reading(store) as connection:
        return compare_with_miners(connection, "latest", CompareSettings(DRAWS), training)


def test_challenges_that_the_candidate_was_trained_on_are_left_out(
    store: Store, records: list[dict[str, Any]]
) -> None:
    with reading(store) as connection:
        before = compare_with_miners(connection, "latest", CompareSettings(DRAWS))
        (parquet, row, video), *_ = connection.execute(
            "SELECT parquet, row, vid_id FROM media WHERE parquet IS NOT NULL ORDER BY position"
        ).fetchall()
        same = connection.execute(
            "SELECT count(*) FROM media WHERE (parquet = ? AND row = ?) OR vid_id = ?",
            [parquet, row, video],
        ).fetchall()[0][0]
    assert not before.overlap_checked
    found = trained(store, [(parquet, row)])
    assert found.overlap_checked
    assert (before.training_rows, found.training_rows) == (None, 1)
    # at least those of the row and of its video; those within 100 m beside
    assert found.left_out[TRAINED_ON] >= same > 0
    assert found.candidate.n == before.candidate.n - found.left_out[TRAINED_ON]
    nothing = trained(store, [("another.parquet", 0)])
    assert nothing.overlap_checked
    assert nothing.candidate == before.candidate
