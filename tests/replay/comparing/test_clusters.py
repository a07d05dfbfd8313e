"""GPS clusters scored with a replay, against its slices; the command and the relation."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef
from typer.testing import CliRunner

from analytics.comparison.bootstrap import BootstrapSettings
from analytics.ingest.ingest import ingest
from analytics.regions.gps_clusters import ClusterReport
from analytics.regions.relation import publish_clusters
from analytics.slices.scores import SliceSettings
from analytics.warehouse.connection import reading, writing
from data.errors import QueryError, RunError
from data.store import Store
from replay.commands.gps_clusters import app
from replay.comparing.clusters import NO_RUN, ScoredRun, cluster_report
from replay.comparing.kept_clusters import clusters_basis
from replay.comparing.loaded_answers import run_answers
from replay.comparing.slices import run_slices
from replay.runs.training_rows import trained_on
from tests.conftest import GOLDEN
from tests.made_once import golden_store
from tests.worlds.replays import ids_by_position, publish_replay

FEW_DRAWS = SliceSettings(BootstrapSettings(draws=100), cost_draws=5, least_answers=5)
# golden images, moved to three towns: two of the data set, one that is none of its cities
MOVED = """
UPDATE media SET
    gps_lat = CASE image % 3 WHEN 0 THEN 39.74 WHEN 1 THEN 42.36 ELSE 46.60 END + image / 5000,
    gps_lon = CASE image % 3 WHEN 0 THEN -104.99 WHEN 1 THEN -71.06 ELSE -112.02 END + image / 4000,
    gps_null = NULL,
    city = CASE image % 3 WHEN 0 THEN 'here' WHEN 1 THEN 'there' ELSE 'elsewhere' END
FROM (SELECT challenge_id AS id, hash(parquet || row) % 100 AS image FROM media) AS numbered
WHERE challenge_id = id AND parquet IS NOT NULL;
"""
TOWNS = {"here": "denver", "there": "boston", "elsewhere": "around 46.6"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    root = tmp_path_factory.mktemp("clusters") / "store"
    store = golden_store(tmp_path_factory, root, "e7", "e9")
    with writing(store) as writer:
        writer.connection.execute(MOVED)
        # a challenge without a position is in no cluster
        writer.connection.execute(
            "UPDATE media SET gps_lat = NULL, gps_lon = NULL WHERE position=3"
        )
    guesses = np.random.default_rng(0).random(1000)
    with reading(store) as connection:
        ids = connection.execute("SELECT challenge_id FROM media ORDER BY 1").fetchall()
    publish_replay(store, {one: float(guesses[k]) for k, (one,) in enumerate(ids)})
    return store


@pytest.fixture(scope="module")
def report(store: Store) -> ClusterReport:
    return cluster_report(store, settings=FEW_DRAWS)


def test_a_cluster_scores_as_the_slice_of_its_challenges(
    store: Store, report: ClusterReport
) -> None:
    with reading(store) as connection:
        whole = run_answers(connection, "latest")
        by_city = {s.value: s for s in run_slices(connection, whole, FEW_DRAWS).slices
                   if s.field == "city"}  # fmt: skip
    assert len(report.clusters) == 3
    for city, town in TOWNS.items():
        (cluster,) = [one for one in report.clusters if one.name.startswith(town)]
        expected = by_city[city]
        # the slice of a city holds the challenge without a position too
        assert abs(cluster.predicted - expected.challenges) <= 2
        assert cluster.mcc == pytest.approx(expected.mcc, abs=0.1)
        assert cluster.reward_lost == pytest.approx(expected.cost, abs=0.03)


def test_mcc_is_that_of_the_answers(store: Store, report: ClusterReport) -> None:
    named = dict(report.members.iter_rows())
    with reading(store) as connection:
        rows = connection.execute(
            "SELECT challenge_id, label, r.prediction, p.probability FROM media "
            "JOIN responses r USING (challenge_id) JOIN replay_predictions p USING (challenge_id) "
            "WHERE r.prediction <> -1"
        ).fetchall()
    for cluster in report.clusters:
        own = [row[1:] for row in rows if named.get(row[0]) == cluster.name]
        labels, miners, candidate = np.array(own).T
        assert cluster.answers == len(own)
        if len(set(labels)) == 1:
            assert cluster.mcc is cluster.miners_mcc is None
            continue
        assert cluster.mcc == pytest.approx(matthews_corrcoef(labels, candidate > 0.5))
        assert cluster.miners_mcc == pytest.approx(matthews_corrcoef(labels, np.round(miners)))


def test_counts_and_the_relation_agree_and_add_up(store: Store, report: ClusterReport) -> None:
    publish_clusters(store, report)
    with reading(store) as connection:
        rows = connection.sql("FROM gps_clusters").pl()
        (challenges,) = connection.execute("SELECT count(*) FROM media").fetchall()[0]
        (located,) = connection.execute("SELECT count(gps_lat) FROM media").fetchall()[0]
    assert rows["n"].sum() == challenges == report.challenges.n
    assert rows["name"].to_list()[-2:] == ["elsewhere", "no position"]
    assert rows["n"].to_list()[-1] == challenges - located
    for cluster, row in zip(report.clusters, rows.to_dicts(), strict=False):
        for name in ("name", "latitude", "n", "share", "accuracy", "mcc", "reward_lost"):
            assert row[name] == getattr(cluster, name)
        assert row["run_id"] == "replay-a"
        for name in ("accuracy", "own_mcc", "mcc", "reward_lost"):
            ends = row[f"{name}_low"], row[f"{name}_high"]
            assert ends == (getattr(cluster, f"{name}_interval") or (None, None))
    assert any(cluster.mcc_interval for cluster in report.clusters)
    assert any(cluster.own_mcc_interval for cluster in report.clusters)
    assert any(cluster.reward_lost_interval for cluster in report.clusters)


def test_the_same_again_writes_nothing_and_new_challenges_empty_it(
    store: Store, report: ClusterReport
) -> None:
    publish_clusters(store, report)
    before = store.warehouse.stat().st_mtime_ns, store.warehouse.read_bytes()
    publish_clusters(store, report)
    assert (store.warehouse.stat().st_mtime_ns, store.warehouse.read_bytes()) == before
    ingest(store, [GOLDEN / "real" / "media_record.json"])
    with reading(store) as connection:
        assert connection.execute("FROM gps_clusters").fetchall() == []
        connection.execute("FROM media")


def test_without_a_replay_there_are_no_scores(store: Store) -> None:
    report = cluster_report(store, ScoredRun(NO_RUN), settings=FEW_DRAWS)
    assert report.run_id is None
    assert {(c.predicted, c.mcc, c.reward_lost) for c in report.clusters} == {(0, None, None)}


def test_an_unknown_replay_is_one_clear_line(store: Store) -> None:
    with pytest.raises(RunError, match="none of that name"):
        cluster_report(store, ScoredRun("replay-x"))


def told(store: Store, *words: str) -> Any:
    result = CliRunner().invoke(app, ["--store", str(store.root), "--draws", "100", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return json.loads(result.stdout) if "--json" in words else result.stdout


def test_the_command_prints_a_table_or_json_alone(store: Store) -> None:
    shown = told(store)
    assert "denver" in shown
    assert "without a position" in shown
    assert "replay-a by cluster" in shown
    found = told(store, "--json", "--sources", str(GOLDEN / "e7" / "sources"))
    assert found["run_id"] == "replay-a"
    assert found["sources"]["n"] > 0
    assert sum(c["n"] for c in found["clusters"]) <= found["challenges"]["n"]
    with reading(store) as connection:
        names = connection.execute("SELECT name FROM gps_clusters").fetchall()
    assert [name for (name,) in names[:-2]] == [c["name"] for c in found["clusters"]]


def test_a_log_without_positions_is_one_clear_line(tmp_path: Path) -> None:
    nowhere = Store(tmp_path / "nowhere")
    ingest(nowhere, [GOLDEN / "e7" / "challenges.jsonl"])
    with writing(nowhere) as writer:
        writer.connection.execute("UPDATE media SET gps_lat = NULL, gps_lon = NULL")
    with pytest.raises(QueryError, match="a GPS position in none of"):
        told(nowhere)
    assert len(ids_by_position(nowhere)) > 0


def test_kept_scores_are_found_however_the_store_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (store.sources / "below").mkdir(parents=True, exist_ok=True)
    (store.sources / "below" / "notes.txt").write_text("no shard")
    trained = trained_on(store, "replay-a")
    monkeypatch.chdir(store.root.parent)
    relative = Store(Path(store.root.name))
    with reading(store) as connection:
        bases = {
            clusters_basis(connection, "replay-a", trained, named.sources)
            for named in (store, relative)
        }
    assert len(bases) == 1
