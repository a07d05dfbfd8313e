"""The GPS clusters page on empty, small, scored and hostile stores."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import matthews_corrcoef

from analytics.comparison.intervals import Interval, clustered_mean_interval
from analytics.warehouse.connection import reading
from data.background.process import RUNNING
from data.store import STORE_VARIABLE, Store
from replay.comparing.background import last_clusters
from replay.comparing.clusters import cluster_report
from replay.comparing.kept_comparison import comparisons_folder
from tests.dashboards.conftest import change
from tests.dashboards.page import HOSTILE, plain, rendered, table, the_page
from tests.made_once import golden_store
from tests.worlds.replays import publish_replay
from tests.worlds.waiting import wait_for

# golden images, moved to two cities of the data set, and every tenth without a position
MOVED = """
UPDATE media SET
    gps_lat = CASE image % 2 WHEN 0 THEN 39.74 ELSE 42.36 END + image / 5000,
    gps_lon = CASE image % 2 WHEN 0 THEN -104.99 ELSE -71.06 END + image / 4000,
    gps_null = NULL
FROM (SELECT challenge_id AS id, hash(parquet || row) % 100 AS image FROM media) AS numbered
WHERE challenge_id = id AND parquet IS NOT NULL;
UPDATE media SET gps_lat = NULL, gps_lon = NULL WHERE position % 10 = 3;
"""


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("replayed") / "store"
    store = golden_store(tmp_path_factory, root, "e7", "e9")
    change(store, MOVED)
    guesses = np.random.default_rng(0).random(1000)
    with reading(store) as connection:
        ids = connection.execute("SELECT challenge_id FROM media ORDER BY 1").fetchall()
    publish_replay(store, {one: float(guesses[k]) for k, (one,) in enumerate(ids)})
    cluster_report(store)  # keeps the scores
    return store.root


@pytest.fixture
def store(replayed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    shutil.copytree(replayed, tmp_path / "store")
    store = Store(tmp_path / "store")
    monkeypatch.setenv(STORE_VARIABLE, str(store.root))
    return store


def test_store_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))
    page = the_page("gps_clusters")
    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_a_torn_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])
    page = the_page("gps_clusters")
    assert not page.exception
    assert len(page.error) == 1
    assert "move it away and ingest again" in plain(page)


def test_a_store_without_a_position_says_so(store: Store) -> None:
    change(store, "UPDATE media SET gps_lat = NULL, gps_lon = NULL")
    page = the_page("gps_clusters")
    assert not page.exception
    assert "Nothing in this store has a GPS position" in rendered(page)


def test_positions_too_few_for_a_cluster(store: Store) -> None:
    change(store, "UPDATE media SET gps_lat = 40, gps_lon = -75 WHERE gps_lat IS NOT NULL")
    page = the_page("gps_clusters")
    assert not page.exception
    assert "there is no cluster" in rendered(page)


def test_numbers_are_those_of_the_rows(store: Store) -> None:
    with reading(store) as connection:
        rows = connection.sql(
            "SELECT gps_lat < 41 AS is_denver, label, r.prediction, p.probability, "
            "coalesce(parquet || row, challenge_id) AS image FROM media "
            "JOIN responses r USING (challenge_id) JOIN replay_predictions p USING (challenge_id) "
            "WHERE r.prediction <> -1 AND gps_lat IS NOT NULL"
        ).pl()
        counts = dict(
            connection.execute(
                "SELECT CASE WHEN gps_lat < 41 THEN 'Denver' ELSE 'Boston' END, count(*) "
                "FROM media WHERE gps_lat IS NOT NULL GROUP BY 1"
            ).fetchall()
        )
        (without,) = (
            connection.execute("SELECT count(*) - count(gps_lat) FROM media").fetchone() or ()
        )
    page = the_page("gps_clusters")

    assert not page.exception
    shown = table(page, "Cluster").set_index("Cluster")
    assert dict(shown["Challenges"]) == counts
    for city, is_denver in (("Denver", True), ("Boston", False)):
        own = rows.filter(rows["is_denver"] == is_denver)
        candidate = own["probability"].to_numpy() > 0.5
        assert shown.loc[city, "MCC"] == pytest.approx(matthews_corrcoef(own["label"], candidate))
        right = own.select("image", right=(pl.col("label") == 1) == (pl.col("probability") > 0.5))
        row = {str(name): value for name, value in shown.loc[city].items()}
        ends = [row["Accuracy, 95% from"] / 100, row["Accuracy, 95% to"] / 100]
        # a bootstrap of few images is narrower than Student's
        assert ends == pytest.approx(of_images(right), abs=0.04)
        assert row["Accuracy"] / 100 == pytest.approx(right["right"].mean())
        assert row["MCC, 95% from"] < row["MCC"] < row["MCC, 95% to"]
        miners = np.round(own["prediction"].to_numpy())
        expected = matthews_corrcoef(own["label"], miners)
        assert shown.loc[city, "Miners' MCC"] == pytest.approx(expected)
    most = max(counts, key=lambda city: counts[city])
    first, second = (element.value for element in page.markdown[:2])
    assert f"**{most}**: {counts[most]:,} of {sum(counts.values()):,} with GPS" in first
    assert f"Left out: {without:,} of" in first
    assert "The candidate is" in second
    charts = [page.get(kind) for kind in ("arrow_vega_lite_chart", "vega_lite_chart")]
    assert sum(map(len, charts)) == 1
    assert "No weights have been made yet" in rendered(page)
    assert page.get("page_link")
    assert "streetreplay weights" in plain(page)
    assert "streetreplay retrain" in plain(page)


def of_images(right: pl.DataFrame) -> Interval | None:
    """Interval of the mean, over images, by linearisation."""
    sums = right.group_by("image").agg(pl.col("right").sum(), pl.len().alias("n").cast(pl.Int64))
    total, n = sums["right"].cast(pl.Int64), sums["n"]
    return clustered_mean_interval(
        sums.height,
        int(total.sum()),
        int(n.sum()),
        int((total * total).sum()),
        int((total * n).sum()),
        int((n * n).sum()),
    )


def test_colour_and_part_of_the_map_are_of_the_link(store: Store) -> None:
    page = the_page("gps_clusters", area="Boston", colour="share of challenges")
    assert not page.exception
    assert page.selectbox("area").value == "Boston"
    assert page.selectbox("colour").value == "share of challenges"
    for measure in page.selectbox("colour").options:
        assert not page.selectbox("colour").set_value(measure).run().exception
    assert not page.selectbox("area").set_value("the whole country").run().exception


def test_eras_are_held_against_each_other(store: Store) -> None:
    page = the_page("gps_clusters")
    eras = table(page, "Era")
    assert set(eras["Era"]) == {"E7", "E9"}
    assert "From E7 to E9" in rendered(page)


def test_weights_are_shown_where_there_are_some(store: Store) -> None:
    change(store, "INSERT INTO sample_weights VALUES ('a.parquet', 0, 1, 1, 1, 1, 1, 1, 1)")
    assert "None of the 1 weighted source rows" in rendered(the_page("gps_clusters"))


def test_without_a_replay_places_are_shown_alone(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")
    page = the_page("gps_clusters")
    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)
    assert "candidate's MCC" not in page.selectbox("colour").options
    assert list(table(page, "Cluster")["Cluster"])


def test_scores_that_are_not_kept_are_computed_beside_the_page(store: Store) -> None:
    expected = table(the_page("gps_clusters"), "MCC")["MCC"]
    shutil.rmtree(comparisons_folder(store, "replay-a"))
    page = the_page("gps_clusters")
    assert "Scoring every cluster" in rendered(page)
    assert len(table(page, "Cluster")) == 2
    wait_until_scored(store)
    page.run()
    assert not page.exception
    assert list(table(page, "MCC")["MCC"]) == list(expected)


def test_a_replay_that_no_miner_was_asked_about_gives_no_scores(store: Store) -> None:
    change(store, "DELETE FROM replay_predictions WHERE run_id = 'replay-a'")
    shutil.rmtree(comparisons_folder(store, "replay-a"))
    page = the_page("gps_clusters")
    wait_until_scored(store)
    page.run()
    assert not page.exception
    assert "Scoring every cluster did not succeed" in rendered(page)
    assert len(table(page, "Cluster")) == 2


def wait_until_scored(store: Store) -> None:
    process = last_clusters(store, "replay-a")
    assert process is not None
    wait_for(lambda: process.state not in RUNNING)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    change(store, f"UPDATE replay_runs SET model = '{HOSTILE}'")  # noqa: S608
    change(store, f"UPDATE media SET city = '{HOSTILE}', weather = ['{HOSTILE}']")  # noqa: S608
    page = the_page("gps_clusters")
    assert not page.exception
    assert "script" not in rendered(page)


def test_new_challenges_are_seen_at_the_next_click(store: Store) -> None:
    page = the_page("gps_clusters")
    before = int(table(page, "Cluster")["Challenges"].sum())
    change(store, "DELETE FROM media WHERE position < 5")
    assert int(table(page.run(), "Cluster")["Challenges"].sum()) < before
