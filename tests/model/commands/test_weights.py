"""The command `weights`, from logs and shards to a file that `train` takes."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import streetreplay
from analytics.ingest.ingest import ingest
from analytics.simulation.sources import sources_of_shard
from analytics.simulation.validator import simulate
from analytics.warehouse.connection import reading
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.shards import Shards
from data.store import Store
from model.rows.sample_weights import read_sample_weights
from model.rows.source_rows import list_rows
from tests.model.weighting.weighing_world import add_replay
from tests.worlds.audit_logs import write_lines
from tests.worlds.simulated_logs import small_settings

SCENES = SceneSettings(seed=4, rows=48, row_group_rows=5, size_mix=(((320, 240), 1.0),))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Drawn scenes; a log in which those of one city are sent ten times as often; a replay."""
    folder = tmp_path_factory.mktemp("world")
    store = Store(folder / "store")
    shards = write_shards(store.sources, SCENES)
    listed = [source for shard in shards for source in sources_of_shard(shard)]
    common = listed[0].columns["city_name"]
    sent = [one for one in listed for _ in range(10 if one.columns["city_name"] == common else 1)]
    records = list(simulate(small_settings(challenges=200), sent))
    ingest(store, [write_lines(folder / "log.jsonl", records)])
    add_replay(store, wrong_in=common)
    return store


def run(store: Store, *words: object) -> Any:
    command = ["weights", f"--store={store.root}", *map(str, words)]
    return CliRunner().invoke(streetreplay.app, command)


def test_the_default_command_writes_a_file_that_training_takes_and_the_relation(
    world: Store, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "weights.parquet"
    result = run(world, "--out", out)
    assert result.exit_code == 0, result.output
    table = pl.read_parquet(out)
    assert table.columns == [
        "source",
        "row",
        "weight",
        "gps",
        "slices",
        "difficulty",
        "balance",
        "nulls",
        "gates",
    ]
    rows = list_rows(Shards(world.sources)).rows
    read_sample_weights(out).check_rows(rows)
    assert table["weight"].mean() == pytest.approx(1.0)
    with reading(world) as connection:
        published = connection.sql("SELECT * FROM sample_weights ORDER BY source, row").pl()
    assert published.equals(table)
    words = " ".join(result.output.split())
    assert "policy [gps] use yes, near_km 50, near 5" in words
    assert "policy [product] lowest 0.05, highest 20" in words
    assert "within 100 km of a target" in words
    assert "effective sample size" in words
    assert f"of {len(rows)} rows" in words


def test_json_holds_the_whole_report_and_nothing_else(world: Store, tmp_path: Path) -> None:
    out = tmp_path / "weights.parquet"
    found = json.loads(run(world, "--out", out, "--json").stdout)
    assert found["run_id"] == "replay-a"
    assert found["policy"]["gps"]["near"] == 5.0
    assert {factor["name"] for factor in found["factors"]} == {
        "gps",
        "slices",
        "difficulty",
        "balance",
        "nulls",
        "gates",
    }
    assert [place["is_target"] for place in found["places"]].count(True) == 1
    draws = found["draws"]
    assert draws["before"] == pytest.approx(draws["near_rows"] / draws["rows"])
    assert draws["after"] > draws["before"] + 0.2
    assert draws["draws"] >= 100_000
    assert 1 <= found["effective"] <= found["rows"]
    # the same again is the same file
    again = json.loads(run(world, "--out", tmp_path / "again.parquet", "--json").stdout)
    assert again["sha256"] == found["sha256"]
    assert again | {"out": ""} == found | {"out": ""}


def test_a_policy_of_ones_own_with_its_own_places(world: Store, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "[gps]\nlatitudes = [39.74]\nlongitudes = [-104.99]\nunknown = 1.0\n"
        + "".join(
            f"[{name}]\nuse = false\n"
            for name in ("slices", "gates", "difficulty", "balance", "nulls")
        )
    )
    out = tmp_path / "weights.parquet"
    found = json.loads(run(world, "--out", out, "--policy", policy, "--json").stdout)
    assert found["run_id"] is None
    assert [place["name"] for place in found["places"]] == ["given 39.74, -104.99"]
    assert set(pl.read_parquet(out)["gps"].unique()) <= {0.3, 1.0, 2.5, 5.0}


def test_mistakes_are_one_line_and_leave_what_was_there(world: Store, tmp_path: Path) -> None:
    out = tmp_path / "weights.parquet"
    out.write_bytes(b"before")
    policy = tmp_path / "policy.toml"
    policy.write_text("[moon]\nuse = true\n")
    none = tmp_path / "none"
    none.mkdir()
    for words, said in (
        (("--policy", policy), "unknown table moon"),
        (("--run", "none"), "none of that name"),
        (("--sources", none), "no *.parquet shard"),
    ):
        failed = run(world, "--out", out, *words)
        assert failed.exit_code != 0
        assert said in str(failed.exception)
        assert "\n" not in str(failed.exception)
        assert out.read_bytes() == b"before"
    assert run(world, "--out", tmp_path / "weights.csv").exit_code == 2
    empty = run(Store(tmp_path / "empty"), "--out", out, "--sources", world.sources)
    assert "no warehouse" in str(empty.exception)
