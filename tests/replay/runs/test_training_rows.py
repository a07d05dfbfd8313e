"""A candidate's own training rows: kept with its run, and used without being asked for."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

import streetreplay
from analytics.leaks.training_rows import read_training_rows
from data.errors import RunError, SourceError
from data.store import Store
from replay.candidates.predictor import TRAINING_ROWS, Batch, Predictions
from replay.comparing.loaded_answers import TRAINED_ON
from replay.plans.plan import plan
from replay.runs.run import replay
from replay.runs.training_rows import all_training_rows, trained_on
from tests.worlds.stores import LEVEL_0, SHARD, World, encoded, picture, write_shard

ROWS = 12


@dataclass
class Trained:
    """A candidate as a checkpoint is one: it may name the rows that it was trained on."""

    training_rows: Any = None
    fingerprint: str = "1"
    name: str = "trained"
    wants_metadata: bool = False

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.array([image.mean() / 255 for image in batch.images]))


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    """A challenge a row, each of its own video, nobody knows where."""
    made = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240), seed=k)) for k in range(ROWS)])
    for k in range(ROWS):
        apart = {"gps": None, "video_info.vid_id": f"video {k}"}
        made.ask(k, label=k % 2, metadata=apart, **LEVEL_0)
    return made


def names(path: Path, *rows: int) -> Path:
    """A file that names these rows of the shard."""
    frame = pl.DataFrame({"parquet": [SHARD] * len(rows), "row": list(rows)})
    frame.write_csv(path) if path.suffix == ".csv" else frame.write_parquet(path)
    return path


def replayed(world: World, training: Any, fingerprint: str = "1") -> str:
    planned = plan(world.ingest(), world.shards)
    return replay(world.store, Trained(training, fingerprint), planned, world.shards).run_id


def compared(world: World, *words: object) -> Result:
    arguments = ["compare", "--store", str(world.store.root), "--draws", "100"]
    return CliRunner().invoke(streetreplay.app, [*arguments, *map(str, words)])


def as_json(world: World, *words: object) -> Any:
    done = compared(world, "--json", *words)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def text(world: World, *words: object) -> str:
    done = compared(world, *words)
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_the_run_keeps_them_and_compare_leaves_out_what_overlaps(
    world: World, tmp_path: Path, suffix: str
) -> None:
    given = names(tmp_path / f"mine.{suffix}", 1, 4, 99)
    run_id = replayed(world, given)
    kept = world.store.runs / run_id / TRAINING_ROWS
    assert read_training_rows(kept).equals(read_training_rows(given))
    assert not list(kept.parent.glob("*.aside"))
    given.unlink()

    result = as_json(world)

    assert (result["overlap_checked"], result["training_rows"]) == (True, 3)
    assert result["training_file"] == str(kept)
    assert result["left_out"] == {TRAINED_ON: 2}
    assert result["candidate"]["n"] == ROWS - 2
    said = text(world)
    assert f"challenges left out: {TRAINED_ON} 2" in said
    assert f"overlap is by the candidate's own 3 training rows ({kept})" in said


def test_a_file_that_a_person_names_takes_their_place(world: World, tmp_path: Path) -> None:
    replayed(world, names(tmp_path / "own.csv", 1, 4))
    other = names(tmp_path / "other.csv", 2)
    assert as_json(world, "--trained-on", other)["left_out"] == {TRAINED_ON: 1}
    assert f"overlap is by the 1 training rows of {other}" in text(world, "--trained-on", other)


def test_without_any_it_says_where_it_looked(world: World) -> None:
    run_id = replayed(world, None)
    file = world.store.runs / run_id / TRAINING_ROWS
    result = as_json(world)
    assert (result["overlap_checked"], result["training_rows"]) == (False, None)
    assert result["training_file"] is None
    said = f"trained on these challenges (no {file}): --trained-on FILE"
    assert said in text(world)


def test_they_are_no_part_of_the_run_and_what_is_known_stays_known(
    world: World, tmp_path: Path
) -> None:
    first = replayed(world, None)
    assert replayed(world, names(tmp_path / "rows.csv", 1)) == first
    kept = world.store.runs / first / TRAINING_ROWS
    assert read_training_rows(kept)["row"].to_list() == [1]
    # a file that was damaged is made good by the same replay again
    kept.write_bytes(b"PAR1")
    assert replayed(world, names(tmp_path / "more.csv", 1, 2)) == first
    assert read_training_rows(kept)["row"].to_list() == [1, 2]
    assert replayed(world, None) == first
    assert read_training_rows(kept)["row"].to_list() == [1, 2]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_candidate_with_an_empty_file_is_refused(
    world: World, tmp_path: Path, suffix: str
) -> None:
    empty = tmp_path / f"rows.{suffix}"
    frame = pl.DataFrame(schema={"parquet": pl.String, "row": pl.Int64})
    frame.write_csv(empty) if suffix == "csv" else frame.write_parquet(empty)
    with pytest.raises(SourceError, match=f"{empty.name}: found no rows") as error:
        replayed(world, empty)
    assert "\n" not in str(error.value)
    assert not list(world.store.root.rglob(TRAINING_ROWS))


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"parquet,row\nx,y\n"])
def test_a_damaged_file_of_the_run_is_one_line_with_a_way_out(
    world: World, tmp_path: Path, damage: bytes
) -> None:
    run_id = replayed(world, names(tmp_path / "own.csv", 1))
    kept = world.store.runs / run_id / TRAINING_ROWS
    kept.write_bytes(damage)
    with pytest.raises(RunError, match=r"training rows .*--trained-on FILE$") as caught:
        trained_on(world.store, run_id)
    assert "\n" not in str(caught.value)
    assert compared(world).exit_code == 1
    given = names(tmp_path / "given.csv", 1)
    assert as_json(world, "--trained-on", given)["left_out"] == {TRAINED_ON: 1}


def test_what_a_candidate_names_is_checked_before_anything_is_replayed(
    world: World, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("shard,row\na.parquet,1\n", encoding="utf-8")
    with pytest.raises(SourceError, match="found no column parquet"):
        replayed(world, wrong)
    with pytest.raises(SourceError, match=r"training rows .*absent\.parquet"):
        replayed(world, tmp_path / "absent.parquet")
    with pytest.raises(RunError, match="training_rows of trained: found a str; expected a pathlib"):
        replayed(world, "rows.parquet")


def test_against_another_replay_the_rows_of_both_are_left_out(world: World, tmp_path: Path) -> None:
    one = replayed(world, names(tmp_path / "one.csv", 1, 4))
    other = replayed(world, names(tmp_path / "other.csv", 4, 5, 6), "2")
    silent = replayed(world, None, "3")

    result = as_json(world, one, "--against", other)

    assert result["left_out"] == {TRAINED_ON: 2}
    assert result["against"]["left_out"] == {TRAINED_ON: 4}
    assert (result["against"]["n"], result["against"]["training_rows"]) == (ROWS - 4, 4)
    kept = world.store.runs / other / TRAINING_ROWS
    assert result["against"]["others_training_file"] == str(kept)
    said = text(world, one, "--against", other)
    assert f"overlap with what {other} was trained on is left out too ({kept})" in said
    # the other way round, and beside one that names none
    assert as_json(world, other, "--against", one)["against"]["n"] == ROWS - 4
    assert as_json(world, silent, "--against", one)["against"]["n"] == ROWS - 2
    assert f"not checked whether {silent} was trained" in text(world, one, "--against", silent)


def test_rows_of_nobody_are_not_no_rows(world: World, tmp_path: Path) -> None:
    unknown = trained_on(world.store, replayed(world, None))
    given = trained_on(world.store, "any", names(tmp_path / "given.csv", 3, 3))
    assert all_training_rows() is all_training_rows(unknown) is None
    known = all_training_rows(unknown, given, given)
    assert known is not None
    assert known["row"].to_list() == [3]
