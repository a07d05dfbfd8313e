"""Whose record it is and in what order, whatever files, folders and names a log is spread over."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.ingest.ingest import ingest
from analytics.lives.order import Choice
from analytics.miners.answers import miner_answers, stage
from analytics.miners.habits import tenures
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading, writing
from analytics.warehouse.rows import append_rows
from data.errors import QueryError
from data.store import Store
from tests.analytics.lives.ordered_lives import ordered, scores_of
from tests.conftest import golden_records
from tests.worlds.audit_logs import audited, scored_again, write_lines
from tests.worlds.simulated_logs import simulated_log
from tests.worlds.wandb_runs import write_media_files, write_run

Json = dict[str, Any]


def name_runs(store: Store, runs: dict[str, tuple[str | None, int | None, str]]) -> None:
    """Say of files that they are runs: by run id the hotkey, the uid, and how the file's name
    begins; steps are positions.
    """
    with writing(store) as writer:
        for run_id, (hotkey, uid, file) in runs.items():
            writer.connection.execute(
                "UPDATE media SET run_id = ?, segment = 0, step = position "
                "WHERE starts_with(file, ?)",
                [run_id, file],
            )
            row = {"run_id": run_id, "file": file, "segment": 0, "config": "{}", "steps": 1}
            row |= {"finished": True, "hotkey": hotkey, "validator_uid": uid, "signature": "absent"}
            append_rows(writer.connection, "runs", [row])


@pytest.mark.parametrize("names", ["numbered", "hostile"])
def test_parts_of_a_log_without_times_are_in_order_for_everyone(
    store: Store, tmp_path: Path, golden: Path, names: str
) -> None:
    records = golden_records(golden, "e7")
    shuffled = np.random.default_rng(0).permutation(40).tolist()
    paths = []
    for part in range(40):
        name = f"part_{part}.jsonl" if names == "numbered" else f"{shuffled[part]:02d}.jsonl"
        paths.append(write_lines(tmp_path / name, records[10 * part : 10 * part + 10]))
    ingest(store, sorted(paths))
    lives, scores = ordered(store)
    assert [(life.name, life.challenges) for life in lives] == [("life-1", 400)]
    assert scores == scores_of(records)
    with reading(store) as connection:
        rebuilt = [one.challenge_id for one in stored_challenges(connection)]
        first = stored_challenges(connection, ChallengeSelection(limit=30))
        stage(connection)
        answered = miner_answers(connection).challenges["challenge_id"].to_list()
    assert answered == rebuilt
    assert [one.challenge_id for one in first] == rebuilt[:30]
    assert audited(store).mismatches == []


def test_names_alone_are_read_as_numbers(store: Store, tmp_path: Path, golden: Path) -> None:
    """Without scores nothing else is known; no file's place hangs on a name as text."""
    records = golden_records(golden, "e7")[:120]
    for record in records:
        del record["scores"]
    paths = [
        write_lines(tmp_path / f"part_{part}.jsonl", records[10 * part : 10 * part + 10])
        for part in range(12)
    ]
    ingest(store, paths)
    with reading(store) as connection:
        found = [(one.file, one.position) for one in stored_challenges(connection)]
    assert found == [(f"part_{part}.jsonl", place) for part in range(12) for place in range(10)]


def test_media_files_of_two_validators_in_two_folders_are_two_streams(
    store: Store, tmp_path: Path
) -> None:
    first, second = simulated_log(3, "E7", 90, uids=60), simulated_log(4, "E7", 90, uids=60)
    write_media_files(tmp_path / "one", first)
    write_media_files(tmp_path / "two", second)
    ingest(store, [tmp_path])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [90, 90]
    assert scores == scores_of(first + second)
    report = audited(store, from_start=True)
    assert (report.chains, report.mismatches, report.unchecked) == (2, [], {})


def test_media_folders_of_one_validator_go_on_in_one_life(store: Store, tmp_path: Path) -> None:
    records = simulated_log(3, "E7", 90, uids=60)
    write_media_files(tmp_path / "z", records[:50])
    write_media_files(tmp_path / "a", records[50:])
    ingest(store, [tmp_path])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [90]
    assert scores == scores_of(records)
    report = audited(store, from_start=True)
    assert (report.chains, report.mismatches, report.unchecked) == (1, [], {})


def two_validators(store: Store, folder: Path) -> tuple[list[Json], list[Json]]:
    """Logs in turns; the middle third of the first one's is lost."""
    first, second = simulated_log(3, "E7", 180, uids=60), simulated_log(4, "E7", 90, uids=60)
    ingest(store, [write_lines(folder / "1-first.jsonl", first[:60])])
    ingest(store, [write_lines(folder / "2-second.jsonl", second[:60])])
    ingest(store, [write_lines(folder / "3-third.jsonl", first[120:])])
    ingest(store, [write_lines(folder / "4-fourth.jsonl", second[60:])])
    return first, second


def test_a_hotkey_joins_what_no_score_connects(store: Store, tmp_path: Path) -> None:
    first, second = two_validators(store, tmp_path)
    assert [life.challenges for life in ordered(store)[0]] == [60, 90, 60]
    name_runs(store, {"r1": ("5Alice", 72, "1-"), "r3": ("5Alice", 72, "3-")})
    lives, scores = ordered(store)
    assert [(one.name, one.uid, one.runs, one.challenges) for one in lives] == [
        ("5Alice", 72, ("r1", "r3"), 120),
        ("life-2", None, (), 90),
    ]
    assert scores == scores_of(first[:60] + first[120:] + second)
    # windows may hide answers of the part that is lost
    report = audited(store)
    assert (report.mismatches, report.chains, len(report.lives)) == ([], 3, 2)


def test_scores_never_join_two_hotkeys(store: Store, tmp_path: Path) -> None:
    two_validators(store, tmp_path)
    name_runs(store, {"r2": ("5Bob", 7, "2-"), "r4": ("5Carol", 8, "4-")})
    assert [(one.name, one.challenges) for one in ordered(store)[0]] == [
        *(("life-1", 60), ("5Bob", 60), ("life-3", 60), ("5Carol", 30))
    ]


def test_a_validator_or_a_run_is_chosen(store: Store, tmp_path: Path) -> None:
    first, second = two_validators(store, tmp_path)
    name_runs(store, {"r1": ("5Alice", 72, "1-"), "r3": ("5Alice", 72, "3-")})
    for validator in ("5Alice", "72"):
        lives, scores = ordered(store, Choice(validator=validator))
        assert [life.name for life in lives] == ["5Alice"]
        assert scores == scores_of(first[:60] + first[120:])
    assert ordered(store, Choice("life-2"))[1] == scores_of(second)
    lives, scores = ordered(store, Choice(run="r3"))
    assert ([life.challenges for life in lives], scores) == ([60], scores_of(first[120:]))
    with pytest.raises(QueryError, match=r"found no challenge of it.*5Alice \(uid 72\), life-2"):
        ordered(store, Choice("5Bob"))
    with pytest.raises(QueryError, match="validator None"):  # of no uid
        ordered(store, Choice("None"))
    with pytest.raises(QueryError, match="expected the id of a run"):
        ordered(store, Choice(run="r2"))
    with pytest.raises(QueryError, match="expected the id of a run"):
        ordered(store, Choice("life-2", "r1"))


def test_runs_say_whose_they_are(store: Store, tmp_path: Path) -> None:
    """Two validators' W&B runs, in turns; one validator's last run is lost in part."""
    started = datetime(2026, 1, 1, tzinfo=UTC)
    first, second = simulated_log(3, "E7", 90, uids=60), simulated_log(4, "E7", 60, uids=60)
    alice, bob = {"hotkey": "5Alice", "uid": 72}, {"hotkey": "5Bob", "uid": 7}
    runs = {"z1": (first[:40], 0, alice), "a2": (second[:30], 1, bob)}
    runs |= {"b3": (first[70:], 70, alice), "c4": (second[30:], 31, bob)}
    for run_id, (records, minutes, config) in runs.items():
        begun = started + timedelta(minutes=minutes)
        write_run(tmp_path / f"run-{run_id}", run_id, records, started=begun, config=config)
    ingest(store, [tmp_path])
    lives, scores = ordered(store)
    assert [(one.name, one.uid, one.runs, one.challenges) for one in lives] == [
        ("5Alice", 72, ("z1", "b3"), 60),
        ("5Bob", 7, ("a2", "c4"), 60),
    ]
    assert (lives[0].first_time, lives[0].last_time) == (
        *(started.replace(tzinfo=None), datetime(2026, 1, 1, 1, 29)),
    )
    assert scores == scores_of(first[:40] + first[70:] + second)
    report = audited(store)
    assert (report.mismatches, report.chains, len(report.lives)) == ([], 3, 2)
    assert ordered(store, Choice("7", "c4"))[1] == scores_of(second[30:])


def test_downloads_of_two_validators_in_folders_of_one_name_are_two_lives(
    store: Store, tmp_path: Path
) -> None:
    """A folder's name stands for the run's id where nothing else tells it; names repeat."""
    first, second = simulated_log(3, "E7", 60, uids=60), simulated_log(4, "E7", 60, uids=60)
    for name, uid, records in (("Alice", 72, first), ("Bob", 7, second)):
        run = tmp_path / name / "run"
        write_media_files(run / "media" / "html", records)
        (run / "config.yaml").write_text(f"hotkey: {{value: 5{name}}}\nuid: {{value: {uid}}}\n")
    ingest(store, [tmp_path])
    lives, _ = ordered(store)
    assert sorted((one.name, one.uid, one.runs, one.challenges) for one in lives) == [
        ("5Alice", 72, ("run",), 60),
        ("5Bob", 7, ("run",), 60),
    ]
    assert ordered(store, Choice("5Bob", "run"))[1] == scores_of(second)


def test_a_folders_name_alone_makes_no_run_of_two(store: Store, tmp_path: Path) -> None:
    for name, seed in (("alice", 3), ("bob", 4)):
        write_media_files(
            tmp_path / name / "run" / "media" / "html", simulated_log(seed, "E7", 60, uids=60)
        )
    ingest(store, [tmp_path])
    assert [(one.runs, one.challenges) for one in ordered(store)[0]] == [(("run",), 60)] * 2


def test_segments_of_a_run_are_put_in_order_by_scores(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    records = golden_records(golden, "e7")[:90]
    for place, name in enumerate(("b", "c", "a")):
        ingest(
            store, [write_lines(tmp_path / f"{name}.jsonl", records[30 * place : 30 * place + 30])]
        )
    name_runs(store, {"r": ("5Alice", 72, "")})
    with writing(store) as writer:
        writer.connection.execute("UPDATE media SET segment = ascii(file) - ascii('a')")
    lives, scores = ordered(store)
    assert ([life.runs for life in lives], scores) == ([("r",)], scores_of(records))


def test_tenures_are_told_in_each_validators_life(store: Store, tmp_path: Path) -> None:
    records = simulated_log(3, "E7", 40, uids=60)
    other = simulated_log(4, "E7", 40, uids=60)
    ingest(store, [write_lines(tmp_path / "a.jsonl", records)])
    ingest(store, [write_lines(tmp_path / "b.jsonl", other)])
    with reading(store) as connection:
        both = tenures(connection, stage(connection))
        apart = [
            one
            for name in ("life-1", "life-2")
            for one in tenures(connection, stage(connection, Choice(name)))
        ]
    assert sorted(both, key=str) == sorted(apart, key=str)


def test_a_log_that_begins_is_no_other_validators_restart(store: Store, tmp_path: Path) -> None:
    """Until E6 both a new validator and a new process start with scores of 0."""
    for seed in (2, 4):
        records = simulated_log(seed, "E5", 60, uids=30)
        ingest(store, [write_lines(tmp_path / f"{seed}.jsonl", records)])
    assert [life.challenges for life in ordered(store)[0]] == [60, 60]


def test_a_process_that_starts_again_goes_on_where_only_one_validators_log_ends(
    store: Store, tmp_path: Path
) -> None:
    records = scored_again(simulated_log(2, "E5", 60, uids=30, validators=0), restarts={30})
    for place in (0, 30):
        ingest(store, [write_lines(tmp_path / f"{place}.jsonl", records[place : place + 30])])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [60]
    assert scores == scores_of(records)


def test_nobody_is_guessed_whose_process_started_again(store: Store, tmp_path: Path) -> None:
    worlds = [
        scored_again(simulated_log(seed, "E5", 60, uids=30, validators=0), restarts={30})
        for seed in (2, 4)
    ]
    parts = [records[place : place + 30] for place in (0, 30) for records in worlds]
    for number, part in enumerate(parts):
        ingest(store, [write_lines(tmp_path / f"{number}.jsonl", part)])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [30] * 4
    assert scores == [row for part in parts for row in scores_of(part)]
