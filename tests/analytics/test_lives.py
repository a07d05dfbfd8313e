"""Whose record it is and in what order, whatever files, folders and names a log is spread over."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.challenges import Selection, stored_challenges
from analytics.ingest import ingest
from analytics.life_streams import Stream, lives_of
from analytics.lives import Choice, Life, put_in_order
from analytics.miner_answers import miner_answers, stage
from analytics.rows import append
from analytics.score_law import Float32s, Law
from analytics.score_links import LONGEST_HOLE, links
from analytics.tracker import EmaScores
from analytics.warehouse import reading, writing
from data.errors import QueryError
from data.store import Store
from tests.analytics.audit_logs import audited, scored_again, write_lines
from tests.analytics.test_audit_worlds import world
from tests.conftest import golden_records

Json = dict[str, Any]
LAW = Law(np.float32(0.05), np.float32(0.95), from_start=False)


def ordered(store: Store, choice: Choice = Choice()) -> tuple[list[Life], list[list[float]]]:
    """The lives, and the scores of each challenge in order: they tell the records apart."""
    with reading(store) as connection:
        lives = put_in_order(connection, choice)
        rows = connection.execute(
            "SELECT media.scores FROM life_order AS placed "
            "INNER JOIN media ON media.rowid = placed.media_row ORDER BY placed.ordinal"
        ).fetchall()
    return lives, [scores for (scores,) in rows]


def scores_of(records: list[Json]) -> list[list[float]]:
    return [np.array(record["scores"], np.float32).tolist() for record in records]


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
            row |= {"finished": True, "hotkey": hotkey, "validator_uid": uid}
            append(writer.connection, "runs", [row])


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
        first = stored_challenges(connection, Selection(limit=30))
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


def write_media(folder: Path, records: list[Json]) -> None:
    folder.mkdir(parents=True)
    for step, record in enumerate(records):
        text = f"<base target=_blank><pre>{json.dumps(record)}</pre>"
        (folder / f"metadata_{step}_{step * 7919 % 997:04x}.html").write_text(text, "utf-8")


def test_media_files_of_two_validators_in_two_folders_are_two_streams(
    store: Store, tmp_path: Path
) -> None:
    first, second = world(3, "E7", 90, uids=60), world(4, "E7", 90, uids=60)
    write_media(tmp_path / "one", first)
    write_media(tmp_path / "two", second)
    ingest(store, [tmp_path])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [90, 90]
    assert scores == scores_of(first + second)
    report = audited(store, from_start=True)
    assert (report.chains, report.mismatches, report.unchecked) == (2, [], {})


def test_media_folders_of_one_validator_go_on_in_one_life(store: Store, tmp_path: Path) -> None:
    records = world(3, "E7", 90, uids=60)
    write_media(tmp_path / "z", records[:50])
    write_media(tmp_path / "a", records[50:])
    ingest(store, [tmp_path])
    lives, scores = ordered(store)
    assert [life.challenges for life in lives] == [90]
    assert scores == scores_of(records)
    report = audited(store, from_start=True)
    assert (report.chains, report.mismatches, report.unchecked) == (1, [], {})


def two_validators(store: Store, folder: Path) -> tuple[list[Json], list[Json]]:
    """Logs in turns; the middle third of the first one's is lost."""
    first, second = world(3, "E7", 180, uids=60), world(4, "E7", 90, uids=60)
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
    with pytest.raises(QueryError, match="expected the id of a run"):
        ordered(store, Choice(run="r2"))
    with pytest.raises(QueryError, match="expected the id of a run"):
        ordered(store, Choice("life-2", "r1"))


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
    from analytics.answer_habits import tenures  # noqa: PLC0415

    records = world(3, "E7", 40, uids=60)
    other = world(4, "E7", 40, uids=60)
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


# -- links ----------------------------------------------------------------------------------------


def walk(rng: np.random.Generator, records: int, uids: int) -> tuple[Float32s, Float32s]:
    """Scores of a life after each record, and before it less those of the uids that it asks."""
    scores = EmaScores(rng.random(uids))
    after, unasked = np.empty((2, records, uids), np.float32)
    for record in range(records):
        asked = rng.permutation(uids)[: uids // 6].tolist()
        scores.update(asked, rng.random(len(asked)).tolist(), validators={0, 1})
        after[record] = unasked[record] = scores.values
        unasked[record, asked] = np.nan
    return after, unasked


def every_share(ends: Float32s, starts: Float32s) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of all pairs, by the law's own words: in float32, over up to so many records."""
    rest, weight = np.float32(0.95), np.float32(0.05)
    shares = np.zeros((len(ends), len(starts)))
    for end, old in enumerate(ends):
        kept, decayed = old.copy(), old.copy()
        found = np.zeros(starts.shape, bool)
        for _ in range(LONGEST_HOLE):
            kept = weight * kept + rest * kept
            decayed = rest * decayed
            found |= (starts == kept) | (starts == decayed)
        known = (old > 0) & ~np.isnan(starts)
        shares[end] = (found & known).sum(axis=1) / np.maximum(1, known.sum(axis=1))
        shares[end, known.sum(axis=1) < 3] = 0
    np.fill_diagonal(shares, 0)
    return shares


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_links_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        after, unasked = walk(rng, 60, 48)
        cuts = np.unique(rng.integers(1, 60, int(rng.integers(1, 7))))
        bounds = [0, *cuts.tolist(), 60]
        gaps = rng.integers(0, 4, len(bounds))
        for first, last, gap in zip(bounds[:-1], bounds[1:], gaps, strict=False):
            if first + gap < last:
                parts.append((after[last - 1], unasked[first + gap]))
    ends, starts = (np.stack(side) for side in zip(*parts, strict=True))
    found = links(LAW, ends, starts)
    shares = every_share(ends, starts)
    expected = {(e, s) for e, s in np.argwhere(shares >= 0.25).tolist()}
    best = {(e, s) for e, s in expected if shares[e, s] == shares[e].max()}
    pairs = list(zip(found.ends.tolist(), found.starts.tolist(), strict=True))
    assert best <= set(pairs) <= expected
    assert found.shares.tolist() == sorted(found.shares.tolist(), reverse=True)
    for (end, start), share in zip(pairs, found.shares.tolist(), strict=True):
        assert share == pytest.approx(shares[end, start])


@pytest.mark.parametrize("alike", [False, True])
def test_thousands_of_streams_are_put_in_order_in_seconds(alike: bool) -> None:
    """All pairs of 6,000 took 36 million comparisons of 64 scores; streams may be all alike."""
    rng = np.random.default_rng(0)
    count = 6000
    after, unasked = walk(rng, 1 if alike else count, 64)
    if alike:
        after, unasked = (np.repeat(side, count, axis=0) for side in (after, unasked))
    places = np.arange(count) if alike else rng.permutation(count)
    streams = [
        Stream(number, (0,), None, f"{number}", "E7", None, None, unasked[place], after[place])
        for number, place in enumerate(places.tolist())
    ]
    lives = lives_of(LAW, streams)
    if alike:
        assert sum(len(chain) for life in lives for chain in life) == count
        return
    ((chain,),) = lives
    assert [int(places[one.number]) for one in chain] == list(range(count))


# -- records of several logs in one folder or file ------------------------------------------------


def test_two_runs_media_in_one_folder_are_told_apart_by_scores(
    store: Store, tmp_path: Path
) -> None:
    """A run that begins again names its files from step 0 on: `metadata_0_` stands there twice."""
    records = world(3, "E7", 90, uids=60)
    write_media(tmp_path / "media", records[:50])
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
    first, second = world(3, "E7", 90, uids=60), world(4, "E7", 60, uids=60)
    turns = [one for pair in zip(first, second, strict=False) for one in pair] + first[60:]
    if form == "file":
        ingest(store, [write_lines(tmp_path / "both.jsonl", turns)])
    else:
        write_media(tmp_path / "media", turns)
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
    records = scored_again(world(2, "E5", 120, uids=30, validators=0), restarts={50, 90})
    ingest(store, [write_lines(tmp_path / "a.jsonl", records)])
    lives, scores = ordered(store)
    assert ([life.challenges for life in lives], scores) == ([120], scores_of(records))
