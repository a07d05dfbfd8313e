"""Whole retrainings in a small world: what is promoted, refused, said and left untouched."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef

from analytics.warehouse.connection import reading
from data.errors import RunError
from data.store import Store
from model.champion.champion import champion
from model.champion.pointer import POINTER
from model.retraining.retrain_folder import OUTCOME, retrain_lock, retrainings
from model.retraining.retrain_report import RetrainReport, report_lines
from model.weighting.policy import GpsPolicy, WeightPolicy
from replay.candidates.predictor import TRAINING_ROWS
from tests.model.retraining.coloured_world import (
    TRAINING,
    ColouredWorld,
    ask,
    judged,
    present,
    write_coloured,
)


def test_the_command_promotes_a_better_challenger_and_reports(
    retrained: tuple[Store, str], world: ColouredWorld
) -> None:
    store, printed = retrained
    [folder] = retrainings(store)
    assert present(store).folder == folder.checkpoint
    steps = ["decision", "weights", "training", "interpolation", "gate", OUTCOME]
    assert list(folder.steps) == steps
    report = json.loads(printed)
    assert report == json.loads((folder.path / "report.json").read_bytes())
    assert report["promoted"]
    assert report["verdict"]["interval"][0] > 0
    assert len(report["views"]) == 12
    assert set(report["minutes"]) == {
        "replay of the champion",
        "evidence",
        "power",
        "weights",
        "training",
        "replay of the challenger",
        "gate",
    }
    assert [entry.event for entry in judged(store)] == ["promoted"]
    lines = (folder.path / "report.txt").read_text().splitlines()
    for beginning in ("to find a true difference of 0.05 reward", "factor gps: ", "view 12: "):
        assert any(line.startswith(beginning) for line in lines)
    named = {f"GPS cluster {cluster['name']}: MCC " for cluster in report["clusters"]}
    named |= {f"{part['field']} {part['value']}: accuracy " for part in report["verdict"]["slices"]}
    assert len(named) > 8
    assert all(any(line.startswith(beginning) for line in lines) for beginning in named)


def answers(store: Store) -> pl.DataFrame:
    """City, label, level, position and answers of champion and challenger, a row a challenge."""
    [entry] = judged(store)
    assert entry.gate is not None
    query = """
        SELECT media.label, media.city, media.aug_level, media.gps_lat,
            old.probability AS before, new.probability AS after
        FROM media
        JOIN replay_predictions AS old USING (challenge_id)
        JOIN replay_predictions AS new USING (challenge_id)
        WHERE old.run_id = $old AND new.run_id = $new
    """
    runs = {"old": entry.gate.champion_id, "new": entry.gate.challenger_id}
    with reading(store) as connection:
        found: pl.DataFrame = connection.sql(query, params=runs).pl()
    return found


def test_before_and_after_are_scikit_learns_of_the_replays(retrained: tuple[Store, str]) -> None:
    store, printed = retrained
    report, asked = json.loads(printed), answers(store)
    assert sum(part["n"] + part["left_out"] for part in report["clusters"]) == asked.height
    cities = 0
    for part in report["clusters"]:
        inside = asked.filter(pl.col("city") == part["name"], pl.col("gps_lat").is_not_null())
        if inside.is_empty():
            continue
        cities += 1
        assert part["n"] == inside.height
        for side, column in (("champion", "before"), ("challenger", "after")):
            expected = matthews_corrcoef(inside["label"], inside[column] > 0.5)
            assert part[side] == pytest.approx(expected)
        assert part["difference"] == part["challenger"] - part["champion"]
        assert (part["interval"] is None) == (part["images"] < 10)
    assert cities >= 3
    for part in report["verdict"]["slices"]:
        if part["field"] != "level":
            continue
        inside = asked.filter(pl.format("level {}", "aug_level") == part["value"])
        assert part["n"] == inside.height
        for side, column in (("champion", "before"), ("challenger", "after")):
            expected = accuracy_score(inside["label"], inside[column] > 0.5)
            assert part[side] == pytest.approx(expected)


def test_a_challenger_trained_on_shuffled_labels_is_refused(
    successor: Store, world: ColouredWorld
) -> None:
    before = present(successor)
    report = ask(successor, world.shuffled)
    assert report.verdict is not None
    assert not report.promoted
    assert report.verdict.interval is not None
    assert report.verdict.interval[1] < 0
    assert any(part.fails for part in report.verdict.slices)
    assert present(successor) == before
    assert [entry.event for entry in judged(successor)] == ["promoted", "refused"]
    assert "refused: the interval does not lie above 0" in list(report_lines(report))


def test_what_a_dry_run_says_is_not_done(
    world: ColouredWorld, replayed: tuple[Store, RetrainReport], store: Store
) -> None:
    _, report = replayed
    assert (report.folder, report.verdict) == (None, None)
    trained = pl.read_parquet(present(store).folder / TRAINING_ROWS)
    rows = pl.read_parquet(world.rows / "*.parquet", columns=["id"])
    new = rows.height - trained.unique(["parquet", "row"]).height
    assert 0 < new < 100
    assert any(
        f"{new} source rows are new to the champion" in line for line in report_lines(report)
    )
    assert any("to find a true difference of 0.05 reward" in line for line in report_lines(report))
    if_needed = ask(store, world.rows, if_needed=True)
    assert not if_needed.decision.due
    assert not retrainings(store)


def refused(store: Store, rows: Path, **options: object) -> str:
    """The one line of a retraining that fails; the champion is untouched."""
    pointer, before = (store.models / POINTER).read_bytes(), present(store)
    with pytest.raises(RunError) as error:
        ask(store, rows, **options)
    assert "\n" not in str(error.value)
    assert (store.models / POINTER).read_bytes() == pointer
    assert present(store) == before
    assert not judged(store)
    return str(error.value)


def test_a_loss_that_is_no_number_is_said(world: ColouredWorld, store: Store) -> None:
    exploding = replace(TRAINING, optimizer=replace(TRAINING.optimizer, lr=1e38))
    message = refused(store, world.rows, training=exploding)
    assert "found a loss of nan" in message
    assert message.endswith("choose a lower --lr")


def test_rows_without_gps_are_said_with_the_policy_that_takes_them(
    world: ColouredWorld, store: Store, tmp_path: Path
) -> None:
    write_coloured(tmp_path / "rows", seed=9, split="rows", with_gps=False)
    message = refused(store, tmp_path / "rows")
    assert message.startswith("GPS of 48 source rows: found none that is known; expected some")
    assert message.endswith("use = false in its table [gps]")
    without = WeightPolicy(gps=GpsPolicy(use=False))
    assert ask(store, tmp_path / "rows", policy=without, dry_run=True).folder is None


def test_two_retrainings_at_once_are_refused(world: ColouredWorld, store: Store) -> None:
    with retrain_lock(store):
        message = refused(store, world.rows)
    assert "found another one at work; expected one at a time" in message
    assert not retrainings(store)


def test_a_store_without_a_champion_is_refused(world: ColouredWorld, tmp_path: Path) -> None:
    empty = Store(tmp_path / "empty")
    with pytest.raises(RunError, match=r"found no champion|found none; .*champion set FOLDER"):
        ask(empty, world.rows, training=TRAINING)


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", TRAINING_ROWS, None])
def test_a_champion_that_was_altered_or_removed_is_refused(
    world: ColouredWorld, store: Store, name: str | None
) -> None:
    folder, pointer = present(store).folder, (store.models / POINTER).read_bytes()
    aside = shutil.copytree(folder, store.root / "aside")
    if name is None:
        shutil.rmtree(folder)
    else:
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)
    with pytest.raises(RunError) as error:
        ask(store, world.rows, training=TRAINING)
    assert "champion" in str(error.value)
    assert "streetreplay champion set FOLDER" in str(error.value)
    assert "\n" not in str(error.value)
    assert not retrainings(store)
    assert (store.models / POINTER).read_bytes() == pointer
    # put back, it is what it was
    shutil.rmtree(folder, ignore_errors=True)
    shutil.move(aside, folder)
    assert champion(store) is not None
