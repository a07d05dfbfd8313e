"""Two replays against each other, held against scikit-learn and against tables made by hand."""

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef, roc_auc_score
from typer.testing import CliRunner

import streetreplay
from analytics.comparison.bootstrap import BootstrapSettings, image_repeats
from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from data.errors import RunError
from data.store import Store
from replay.comparing.loaded_answers import TRAINED_ON
from replay.comparing.with_another_run import RunComparison, compare_with_another_run
from tests.conftest import golden_records
from tests.worlds.replays import ReplayAnswers, ids_by_position, publish_replay

DRAWS = BootstrapSettings(draws=100)

Json = dict[str, Any]
Guesses = dict[int, float]


def found(
    store: Store,
    settings: BootstrapSettings = DRAWS,
    training: pl.DataFrame | None = None,
    names: tuple[str, str] = ("replay-a", "replay-b"),
) -> RunComparison:
    with reading(store) as connection:
        return compare_with_another_run(connection, *names, settings, training)


def rows(*named: tuple[str, int]) -> pl.DataFrame:
    """Training rows of which nothing else is known."""
    schema = {"parquet": pl.String, "row": pl.Int64, "vid_id": pl.String}
    return pl.DataFrame(
        [(parquet, row, None, None, None) for parquet, row in named],
        schema | {"gps_lat": pl.Float64, "gps_lon": pl.Float64},
        orient="row",
    )


@pytest.fixture
def guesses(store: Store, golden: Path) -> tuple[Guesses, Guesses]:
    """By position in golden E7: one replay of all but the first 50, one of all but the last 20."""
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids = ids_by_position(store)
    labels = [record["label"] for record in golden_records(golden, "e7")]
    rng = np.random.default_rng(7)
    # ties at 0.5 and within a run; the first is the better one
    able = {k: np.clip(rng.normal(0.35 + 0.3 * labels[k], 0.2), 0, 1) for k in ids}
    one = {k: round(float(p), 1) for k, p in able.items() if k >= 50}
    other = {k: round(float(rng.random()), 1) for k in ids if k < len(ids) - 20}
    publish_replay(store, {ids[k]: p for k, p in one.items()})
    # a challenge without a prediction is none that both predicted
    silent: ReplayAnswers = {ids[k]: None for k in ids if k not in other}
    publish_replay(store, silent | {ids[k]: p for k, p in other.items()}, "replay-b")
    return one, other


def test_both_sides_are_scikit_learns_on_exactly_what_both_predicted(
    store: Store, golden: Path, guesses: tuple[Guesses, Guesses]
) -> None:
    records = golden_records(golden, "e7")
    shared = sorted(set(guesses[0]) & set(guesses[1]))
    labels = [records[k]["label"] for k in shared]

    result = found(store)

    assert (result.n, result.roadwork) == (len(shared), sum(labels))
    assert result.left_out == {"predicted by replay-a only": 20, "predicted by replay-b only": 50}
    for side, run_id, given in zip(
        (result.run, result.other), ("replay-a", "replay-b"), guesses, strict=True
    ):
        values = [given[k] for k in shared]
        classes = np.round(values).astype(int)
        assert side.run_id == run_id
        assert side.mcc == pytest.approx(matthews_corrcoef(labels, classes))
        assert side.accuracy == pytest.approx(accuracy_score(labels, classes))
        assert side.auc == pytest.approx(roc_auc_score(labels, values))
    for name in ("mcc", "accuracy", "auc"):
        value = getattr(result.run, name) - getattr(result.other, name)
        assert result.differences[name].value == pytest.approx(value)


def test_intervals_are_those_of_scikit_learn_on_the_same_draws_of_images(
    store: Store, golden: Path, guesses: tuple[Guesses, Guesses]
) -> None:
    records = golden_records(golden, "e7")
    shared = sorted(set(guesses[0]) & set(guesses[1]))
    labels = np.array([records[k]["label"] for k in shared])
    with reading(store) as connection:
        named = dict(
            connection.execute(
                "SELECT position, coalesce(parquet || ':' || row, challenge_id) FROM media"
            ).fetchall()
        )
    numbers = np.unique([named[k] for k in shared], return_inverse=True)[1]
    one, other = (np.array([given[k] for k in shared]) for given in guesses)

    def gap(metric: Any, weights: np.ndarray, *, classes: bool) -> float:
        sides = (np.round(one), np.round(other)) if classes else (one, other)
        values = [metric(labels, side, sample_weight=weights) for side in sides]
        return float(values[0] - values[1])

    settings = BootstrapSettings(draws=100, level=0.9, seed=5, auc=True)
    result = found(store, settings)

    assert result.images == numbers.max() + 1 < len(shared)
    for name, metric in (
        ("mcc", matthews_corrcoef),
        ("accuracy", accuracy_score),
        ("auc", roc_auc_score),
    ):
        point = gap(metric, np.ones(len(shared)), classes=name != "auc")
        draws = np.array(
            [
                gap(
                    metric,
                    image_repeats(result.images, settings, k)[numbers],
                    classes=name != "auc",
                )
                for k in range(settings.draws)
            ]
        )
        expected = point + np.quantile(draws - draws.mean(), [0.05, 0.95])
        assert result.differences[name].interval == pytest.approx(tuple(expected))
    # the better one is the first, and the other way round it is the second
    low, high = result.differences["mcc"].interval or (0, 0)
    assert 0 < low < result.differences["mcc"].value < high
    turned = found(store, settings, names=("replay-b", "replay-a"))
    assert (turned.run, turned.other) == (result.other, result.run)
    assert turned.differences["mcc"].interval == pytest.approx((-high, -low))


def asked(store: Store, record: Json, labels: list[int], **metadata: Any) -> dict[int, str]:
    """Challenges with these labels, each on a row of its own; their ids by place."""
    records = [
        record
        | {"path": str(k), "label": label}
        | {"metadata": record["metadata"] | {"original_index": str(k)} | metadata}
        for k, label in enumerate(labels)
    ]
    log = store.root.parent / "log.jsonl"
    log.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    ingest(store, [log])
    return ids_by_position(store)


def test_possible_images_count_by_the_share_above_a_half(store: Store, record: Json) -> None:
    ids = asked(store, record, [1, 1, 0, 0])
    # shares 3/4, 1, 1/2 (0.5 itself is class 0) and 0; and 1, 0, 0, 1/4
    publish_replay(
        store,
        {
            ids[0]: [0.9, 0.8, 0.7, 0.1],
            ids[1]: [0.6, 0.9, 0.8, 1.0],
            ids[2]: [0.5, 0.6],
            ids[3]: 0.2,
        },
    )
    publish_replay(
        store, {ids[0]: 0.8, ids[1]: 0.1, ids[2]: 0.3, ids[3]: [0.9, 0.1, 0.1, 0.1]}, "replay-b"
    )

    result = found(store)

    # labels 0, 1 x classes 0, 1: [[1.5, 0.5], [0.25, 1.75]] and [[1.75, 0.25], [1, 1]]
    first = (1.5 * 1.75 - 0.5 * 0.25) / math.sqrt(2 * 2 * 1.75 * 2.25)
    second = (1.75 * 1 - 0.25 * 1) / math.sqrt(2 * 2 * 2.75 * 1.25)
    assert (result.run.mcc, result.other.mcc) == pytest.approx((first, second))
    assert (result.run.accuracy, result.other.accuracy) == pytest.approx((3.25 / 4, 2.75 / 4))
    # pairs of a roadwork challenge and another: (0.75, 0.75, 1, 1) by their images, and so on
    aucs = [
        np.mean(
            [np.mean(np.greater.outer(p, q) + np.equal.outer(p, q) / 2) for p in ps for q in qs]
        )
        for ps, qs in (
            (([0.9, 0.8, 0.7, 0.1], [0.6, 0.9, 0.8, 1.0]), ([0.5, 0.6], [0.2])),
            (([0.8], [0.1]), ([0.3], [0.9, 0.1, 0.1, 0.1])),
        )
    ]
    assert (result.run.auc, result.other.auc) == pytest.approx(tuple(aucs))
    # four source images give no interval worth printing
    assert result.images == 4
    assert {one.interval for one in result.differences.values()} == {None}


def test_what_either_was_trained_on_is_left_out(store: Store, record: Json, tmp_path: Path) -> None:
    # nothing but the row is known of each
    ids = asked(store, record, [1, 0, 1, 0, 1], **{"video_info.vid_id": None, "gps": None})
    publish_replay(store, {ids[k]: 0.9 for k in range(4)})
    publish_replay(store, {ids[k]: 0.2 for k in (1, 2, 3, 4)}, "replay-b")
    name = Path(record["metadata"]["source_parquet"]).name

    result = found(store, training=rows((name, 0), (name, 1), ("another.parquet", 2)))

    assert result.n == 2
    assert result.left_out == {
        "predicted by replay-a only": 1,
        "predicted by replay-b only": 1,
        TRAINED_ON: 1,
    }
    assert result.training_rows == 3
    assert found(store).training_rows is None
    with pytest.raises(
        RunError,
        match=r"replay-a against replay-b: found no challenge for both \(.*training rows 3\)",
    ):
        found(store, training=rows(*((name, k) for k in range(5))))


def test_the_same_run_twice_none_in_common_and_an_unknown_one_are_one_clear_line(
    store: Store, record: Json
) -> None:
    ids = asked(store, record, [1, 0])
    publish_replay(store, {ids[0]: 0.9, ids[1]: None})
    publish_replay(store, {ids[1]: 0.9}, "replay-b")

    with pytest.raises(RunError, match="found the same run against itself; expected two replays"):
        found(store, names=("replay-a", "latest"))
    with pytest.raises(
        RunError,
        match=r"found no challenge for both \(predicted by replay-a only 1, predicted by replay-b "
        r"only 1\); expected challenges that both predicted.*; replay both on the same",
    ):
        found(store)
    with pytest.raises(RunError, match="run replay-c: found 2 finished replays"):
        found(store, names=("replay-a", "replay-c"))


def test_the_command_says_it_in_text_and_in_json(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e7" / "challenges.jsonl"])
    ids, rng = ids_by_position(store), np.random.default_rng(0)
    publish_replay(store, {ids[k]: rng.random(2).tolist() for k in ids})
    publish_replay(store, {ids[k]: rng.random() for k in ids if k}, "replay-b", uses_metadata=True)
    words = ["compare", "replay-a", "--store", str(store.root), "--draws", "100"]

    done = CliRunner().invoke(streetreplay.app, [*words, "--against", "replay-b", "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)["against"]
    assert set(result) == {one.name for one in fields(RunComparison)} | {"others_training_file"}
    assert result["other"]["uses_metadata"]
    low, high = result["differences"]["mcc"]["interval"]
    assert (result["n"], low < high) == (399, True)

    text = CliRunner().invoke(streetreplay.app, [*words, "--against", "replay-b"]).stdout
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "image-only, replay-a" in lines[0]
    place = next(k for k, line in enumerate(lines) if line.startswith("against"))
    one, other, value = result["run"], result["other"], result["differences"]["mcc"]["value"]
    assert lines[place].startswith(
        f"against m (image and metadata, replay-b) on n 399 challenges, {result['roadwork']} of "
        f"them roadwork, of {result['images']} source images; the candidate's / its: MCC "
        f"{one['mcc']:.3f} / {other['mcc']:.3f}, difference {value:+.3f} ({low:+.2f}, {high:+.2f})"
    )
    assert lines[place + 1] == "left out of that: predicted by replay-a only 1"
    assert lines[place + 2].startswith("not checked whether replay-b was trained on these (no ")
    assert place < next(k for k, line in enumerate(lines) if line.startswith("rank by MCC"))
