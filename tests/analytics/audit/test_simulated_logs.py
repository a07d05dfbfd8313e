"""The audit on simulated validators, whole and in pieces, and on logs put together from parts."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.ingest.ingest import ingest
from analytics.lives.order import put_in_order
from analytics.simulation.validator import SIMULATED_ERAS
from analytics.warehouse.connection import reading
from data.store import Store
from tests.conftest import golden_records
from tests.worlds.audit_logs import (
    audited,
    filled,
    kept,
    keys,
    scored_again,
    tampered,
    write_lines,
)
from tests.worlds.simulated_logs import simulated_log

Json = dict[str, Any]


def check_in_pieces(tmp_path: Path, seed: int, era: str, challenges: int) -> None:
    """From the start and whole; from the middle and with holes; with numbers changed."""
    rng = np.random.default_rng(seed)
    uids, validators = [(24, 3), (60, 8), (256, 16)][seed % 3]
    records = simulated_log(seed, era, challenges, uids=uids, validators=validators)
    for from_start in (True, False):
        whole = audited(filled(tmp_path / f"whole{from_start}", records), from_start=from_start)
        assert (whole.mismatches, whole.unchecked, whole.gaps) == ([], {}, [])
    part = records[int(rng.integers(1, challenges // 2)) :]
    deleted = rng.choice(np.arange(1, len(part) - 1), int(rng.integers(1, 6)), replace=False)
    left, gaps = kept(part, deleted.tolist())
    report = audited(filled(tmp_path / "part", left))
    assert report.mismatches == []
    assert {gap.position for gap in report.gaps} == gaps
    changed, wanted = tampered(left, 15, rng)
    found = keys(audited(filled(tmp_path / "changed", changed)).mismatches)
    assert found <= wanted


@pytest.mark.parametrize("era", SIMULATED_ERAS)
def test_a_life_whole_and_in_pieces(tmp_path: Path, era: str) -> None:
    check_in_pieces(tmp_path, SIMULATED_ERAS.index(era), era, 150)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 70))
def test_many_lives_whole_and_in_pieces(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    era = SIMULATED_ERAS[seed % len(SIMULATED_ERAS)]
    check_in_pieces(tmp_path, seed, era, int(rng.integers(60, 1500)))


def test_validators_are_told_by_their_decay(tmp_path: Path) -> None:
    """One that turns validator midway keeps its score for a while, and it only decays."""
    records = simulated_log(1, "E7", 300, uids=40, validators=5)
    report = audited(filled(tmp_path, records[150:]))
    assert (report.mismatches, report.gaps) == ([], [])
    assert report.checked["score"] > 140 * 30


@pytest.mark.parametrize("era", ["E4", "E5"])
def test_scores_that_start_again_are_no_gap_and_nobody_is_wrong(tmp_path: Path, era: str) -> None:
    """Until 2025-08-06 every process starts with scores of 0, and histories survive."""
    records = simulated_log(2, era, 200, uids=30, validators=0)
    again = scored_again(records, restarts={90, 150})
    whole = audited(filled(tmp_path / "whole", again), from_start=True)
    assert (whole.mismatches, whole.unchecked) == ([], {})
    inferred = audited(filled(tmp_path / "inferred", again))
    assert inferred.mismatches == []
    assert [(gap.position, gap.restart) for gap in inferred.gaps] == [(90, True), (150, True)]
    middle = audited(filled(tmp_path / "middle", again[90:]))
    # scores of 0 alone prove no start
    assert (middle.mismatches, middle.from_first) == ([], 0)


@pytest.mark.parametrize("run_first", [True, False])
def test_a_run_and_the_same_log_as_lines_are_one_life(
    store: Store, golden: Path, run_first: bool
) -> None:
    forms = [golden / "e7" / "wandb", golden / "e7" / "challenges.jsonl"]
    for path in forms if run_first else reversed(forms):
        ingest(store, [path])
    for from_start in (True, False):
        report = audited(store, from_start=from_start)
        assert (report.chains, report.mismatches, report.unchecked) == (1, [], {})
        assert report.checked["mcc"] == 4000


def test_files_are_put_in_order_by_their_scores(store: Store, tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e7")
    names = ("z.jsonl", "b.jsonl", "a.jsonl")
    for place, name in enumerate(names):
        part = records[[0, 130, 260, 400][place] : [0, 130, 260, 400][place + 1]]
        ingest(store, [write_lines(tmp_path / name, part)])
    report = audited(store)
    assert (report.chains, report.from_first, report.mismatches) == (1, 1, [])
    assert (report.unchecked, report.gaps) == ({}, [])


def test_single_records_follow_the_numbers_in_their_names(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    paths = [
        write_lines(tmp_path / f"record_{place}.jsonl", [record])
        for place, record in enumerate(golden_records(golden, "e9"))
    ]
    ingest(store, paths)
    report = audited(store, from_start=True)
    assert (report.mismatches, report.unchecked) == ([], {})


def test_two_validators_in_one_store_are_two_lives(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    first, second = simulated_log(3, "E7", 120, uids=60), simulated_log(4, "E7", 120, uids=60)
    files = {"1.jsonl": first[:60], "2.jsonl": second[:60]}
    files |= {"3.jsonl": first[60:], "4.jsonl": second[60:]}
    for name, part in files.items():
        ingest(store, [write_lines(tmp_path / name, part)])
    for from_start in (True, False):
        report = audited(store, from_start=from_start)
        assert (report.chains, report.mismatches, report.unchecked) == (2, [], {})


def test_the_order_is_that_of_the_records_with_every_challenge_once(
    store: Store, tmp_path: Path, golden: Path
) -> None:
    records = golden_records(golden, "e9")
    ingest(store, [write_lines(tmp_path / "2.jsonl", records[30:])])
    ingest(store, [write_lines(tmp_path / "1.jsonl", records[:30])])
    with reading(store) as connection:
        assert len(put_in_order(connection)) == 1
        rows = connection.execute(
            "SELECT media.file, media.position FROM life_order AS placed "
            "INNER JOIN media ON media.rowid = placed.media_row ORDER BY placed.ordinal"
        ).fetchall()
    assert rows == [(file, place) for file in ("1.jsonl", "2.jsonl") for place in range(30)]
