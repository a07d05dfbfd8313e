"""Records of several runs or validators in one folder or file, told apart by their scores."""

import json
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from data.store import Store
from tests.analytics.lives.ordered_lives import ordered, scores_of
from tests.conftest import golden_records
from tests.worlds.audit_logs import audited, scored_again, write_lines
from tests.worlds.simulated_logs import simulated_log
from tests.worlds.wandb_runs import write_media_files


def test_two_runs_media_in_one_folder_are_told_apart_by_scores(
    store: Store, tmp_path: Path
) -> None:
    """A run that begins again names its files from step 0 on: `metadata_0_` stands there twice."""
    records = simulated_log(3, "E7", 90, uids=60)
    write_media_files(tmp_path / "media", records[:50])
    for step, record in enumerate(records[50:]):
        path = tmp_path / "media" / f"metadata_{step}_{step * 31 % 97:02x}b.html"
        path.write_text(f"<pre>{json.dumps(record)}</pre>", "utf-8")
    ingest(store, [tmp_path])
    assert ordered(store)[1] == scores_of(records)
    report = audited(store, from_start=True)
    assert (report.chains, report.mismatches, report.unchecked) == (1, [], {})


@pytest.mark.parametrize("form", ["file", "folder"])
def test_two_validators_records_in_turns_are_two_lives(
    store: Store, tmp_path: Path, form: str
) -> None:
    first, second = simulated_log(3, "E7", 90, uids=60), simulated_log(4, "E7", 60, uids=60)
    turns = [one for pair in zip(first, second, strict=False) for one in pair] + first[60:]
    if form == "file":
        ingest(store, [write_lines(tmp_path / "both.jsonl", turns)])
    else:
        write_media_files(tmp_path / "media", turns)
        ingest(store, [tmp_path / "media"])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [90, 60]
    assert scores == scores_of(first + second)
    report = audited(store, from_start=True)
    assert (report.chains, report.mismatches, report.unchecked) == (2, [], {})


def test_a_part_that_lies_in_another_file_is_put_in_its_place(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    records = golden_records(golden, "e7")[:150]
    ingest(store, [write_lines(tmp_path / "a.jsonl", records[:50] + records[100:])])
    ingest(store, [write_lines(tmp_path / "b.jsonl", records[50:100])])
    assert ordered(store)[1] == scores_of(records)


def test_names_by_hash_say_nothing_of_order(store: Store, tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e7")[:100]
    for place, record in enumerate(records):
        write_lines(tmp_path / "m" / f"{place * 7919 % 997:03x}.json", [record])
    ingest(store, [tmp_path / "m"])
    assert ordered(store)[1] == scores_of(records)


@pytest.mark.parametrize("lost", [range(40, 90), range(10, 12)])
def test_a_hole_leaves_a_file_whole_and_in_its_own_order(
    store: Store, tmp_path: Path, golden: Path, lost: range
) -> None:
    records = golden_records(golden, "e7")[:130]
    left = [record for place, record in enumerate(records) if place not in lost]
    ingest(store, [write_lines(tmp_path / "a.jsonl", left)])
    lives, scores = ordered(store)
    assert ([life.challenges for life in lives], scores) == ([len(left)], scores_of(left))


def test_a_start_at_zero_again_leaves_a_file_whole(store: Store, tmp_path: Path) -> None:
    records = scored_again(simulated_log(2, "E5", 120, uids=30, validators=0), restarts={50, 90})
    ingest(store, [write_lines(tmp_path / "a.jsonl", records)])
    lives, scores = ordered(store)
    assert ([life.challenges for life in lives], scores) == ([120], scores_of(records))
