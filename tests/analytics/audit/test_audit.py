"""The audit on logs of the validator's own code: nothing wrong in them but what was changed."""

import copy
from enum import IntEnum, IntFlag
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analytics.audit.audit import AuditSettings, audit
from analytics.audit.coverage import Evidence, StretchStart
from analytics.audit.ema_gaps import Interruption, ScoreVerdict
from analytics.audit.verdicts import AFTER_GAP, BEYOND, MODEL_CHECK, NOT_LOGGED, UNCONFIRMED
from analytics.ingest.ingest import ingest
from analytics.scoring.ema_rule import HotkeyChange
from analytics.scoring.tracker import ScoringSettings
from analytics.warehouse.connection import reading, writing
from data.errors import QueryError
from data.store import Store
from tests.conftest import golden_records
from tests.worlds.audit_logs import (
    COLUMNS,
    audited,
    filled,
    kept,
    keys,
    scored_again,
    tampered,
)

Json = dict[str, Any]
ERAS = ("e7", "e9", "e5")


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("from_start", [True, False])
def test_golden_logs_are_right_in_every_number(
    store: Store, golden: Path, era: str, from_start: bool
) -> None:
    records = golden_records(golden, era)
    ingest(store, [golden / era / "challenges.jsonl"])
    report = audited(store, from_start=from_start)
    answers = sum(len(record["predictions"]) for record in records)
    assert report.mismatches == []
    assert report.unchecked == {}
    assert report.gaps == []
    assert report.checked == dict.fromkeys(COLUMNS, answers) | {
        "score": sum(len(record["scores"]) for record in records)
    }
    assert (report.chains, report.from_first) == (1, 1)


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("seed", [1, 2])
def test_exactly_the_changed_numbers_are_named(
    tmp_path: Path, golden: Path, era: str, seed: int
) -> None:
    records, wanted = tampered(golden_records(golden, era), 25, np.random.default_rng(seed))
    store = filled(tmp_path, records)
    for from_start in (True, False):
        report = audited(store, from_start=from_start)
        assert keys(report.mismatches) == wanted
        assert len(report.mismatches) == 25
        assert report.gaps == []


def test_a_mismatch_says_what_was_logged_and_what_follows_from_the_answers(
    tmp_path: Path, golden: Path
) -> None:
    records = golden_records(golden, "e9")
    right = records[30]["rewards"][4], records[20]["scores"][7]
    records[30]["rewards"][4] = 0.987654321
    records[20]["scores"][7] = 0.5
    score, reward = audited(filled(tmp_path, records)).mismatches
    assert (reward.file, reward.position, reward.slot) == ("challenges.jsonl", 30, 4)
    assert reward.logged == 0.987654321
    assert reward.expected == pytest.approx(right[0], abs=1e-12)
    assert (score.position, score.slot, score.uid) == (20, None, 7)
    assert (score.logged, score.expected) == (0.5, right[1])


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_missing_record_is_found_and_nothing_is_called_wrong_for_it(
    tmp_path: Path, golden: Path, era: str, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    records = golden_records(golden, era)[:150]
    # the first record may be missing too: then the log starts in the middle of a life
    deleted = rng.choice(len(records) - 1, [1, 3, 8][seed % 3], replace=False).tolist()
    left, gaps = kept(records, deleted)
    report = audited(filled(tmp_path, left))
    assert report.mismatches == []
    assert {gap.position for gap in report.gaps} == gaps
    assert not any(gap.restart for gap in report.gaps)
    assert sum(report.unchecked.values()) > 0
    total = sum(7 * len(record["predictions"]) + len(record["scores"]) for record in left)
    assert sum(report.checked.values()) + sum(report.unchecked.values()) == total


def test_numbers_after_a_gap_are_checked_where_the_scores_prove_that_nothing_is_hidden(
    tmp_path: Path, golden: Path
) -> None:
    left, _ = kept(golden_records(golden, "e7")[:150], {100})
    clean = audited(filled(tmp_path / "clean", left))
    assert clean.checked["mcc"] > 1300
    assert clean.unchecked[AFTER_GAP] == 7 * (len(left) * 10 - clean.checked["mcc"])
    changed, wanted = tampered(left, 40, np.random.default_rng(0))
    found = keys(audited(filled(tmp_path / "changed", changed)).mismatches)
    assert found <= wanted
    assert len(found) > 30


def test_first_numbers_prove_that_a_history_starts_here(tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e7")[2:150]
    report = audited(filled(tmp_path, records))
    asked = [uid for record in records for uid in record["miner_uids"]]
    seen_before = {
        uid for record in golden_records(golden, "e7")[:2] for uid in record["miner_uids"]
    }
    assert (report.mismatches, report.gaps, report.from_first) == ([], [], 0)
    # those who answered before the log starts are checked after a change of hotkey only
    new = sum(uid not in seen_before for uid in asked)
    assert 0.8 * new < report.checked["mcc"] <= new + 200


def test_a_long_gap_costs_its_length(tmp_path: Path, golden: Path) -> None:
    left, _ = kept(golden_records(golden, "e7")[:150], range(100, 104))
    (gap,) = audited(filled(tmp_path, left)).gaps
    assert gap.position == 100
    assert 1 <= gap.missing <= 4
    assert 30 <= gap.uids < 60


def test_a_gap_does_not_hide_behind_from_start(tmp_path: Path, golden: Path) -> None:
    left, gaps = kept(golden_records(golden, "e9"), {30})
    report = audited(filled(tmp_path, left), from_start=True)
    assert {gap.position for gap in report.gaps} == gaps
    assert report.mismatches != []
    assert report.unchecked == {}


@pytest.mark.parametrize("share", [0.0, 0.95])
def test_a_last_score_that_fell_is_wrong_in_a_whole_log_only(
    tmp_path: Path, golden: Path, share: float
) -> None:
    """It may be a new hotkey's 0 or a new validator's decay; no later record tells."""
    records = golden_records(golden, "e5")
    last = records[-1]
    uid = next(uid for uid in range(60) if uid not in last["miner_uids"] and last["scores"][uid])
    old = np.float32(records[-2]["scores"][uid])
    last["scores"][uid] = float(np.float32(share) * old)
    store = filled(tmp_path, records)
    assert keys(audited(store, from_start=True).mismatches) == {(59, None, uid, "score")}
    inferred = audited(store)
    assert (inferred.mismatches, inferred.unchecked) == ([], {UNCONFIRMED: 1})


def test_what_is_not_logged_is_not_checked(tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e9")
    for column in COLUMNS[:6]:
        del records[5][f"miner_image_{column}"]
    records[7]["miner_image_auc"][2] = None
    records[8]["scores"][3] = None
    records[9]["scores"] = None
    for from_start in (True, False):
        report = audited(filled(tmp_path / str(from_start), records), from_start=from_start)
        assert report.mismatches == []
        assert report.gaps == []
        assert report.unchecked == {NOT_LOGGED: 60 + 1 + 1}
        assert report.checked["score"] == 58 * 60 + 59


def test_an_answer_that_is_not_finite_counts_as_the_validator_counts_it(
    tmp_path: Path, golden: Path
) -> None:
    first = golden_records(golden, "e9")[:1]
    zeros = 0.0
    first[0]["predictions"][3] = None
    uid = first[0]["miner_uids"][3]
    for column in COLUMNS[:6]:
        first[0][f"miner_image_{column}"][3] = zeros
    first[0]["rewards"][3] = zeros
    first[0]["scores"][uid] = zeros
    report = audited(filled(tmp_path, first), from_start=True)
    assert (report.mismatches, report.unchecked) == ([], {})


def test_uids_beyond_any_subnet_are_counted_and_left_alone(tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e9")[:2]
    records[1]["miner_uids"] = [2_000_000_000, *records[1]["miner_uids"][1:]]
    assert audited(filled(tmp_path, records)).unchecked[BEYOND] == 7


def test_another_alpha_is_the_operators_to_tell(tmp_path: Path, golden: Path) -> None:
    store = filled(tmp_path, golden_records(golden, "e5"))
    with reading(store) as connection:
        settings = AuditSettings(from_start=True, scoring=ScoringSettings(alpha=0.1))
        report = audit(connection, settings)
    assert {mismatch.column for mismatch in report.mismatches} == {"score"}


def test_one_record_alone_says_little(tmp_path: Path, record: Json) -> None:
    report = audited(filled(tmp_path, [record]))
    assert (sum(report.checked.values()), report.mismatches, report.gaps) == (0, [], [])
    assert sum(report.unchecked.values()) == 7 * 10 + 256
    assert (report.accuracy_recovered, report.uncovered_paid) == (10, 10)


def test_all_unanswered_is_a_log_like_any_other(tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e9")[:5]
    for record in records:
        count = len(record["predictions"])
        record.update({f"miner_image_{column}": [0] * count for column in COLUMNS[:6]})
        record.update(predictions=[-1.0] * count, rewards=[0.0] * count, scores=[0.0] * 60)
    report = audited(filled(tmp_path, records))
    assert (report.mismatches, report.unchecked, report.checked["mcc"]) == ([], {}, 50)


def test_a_log_without_scores_gives_what_its_numbers_prove(tmp_path: Path, golden: Path) -> None:
    records = golden_records(golden, "e7")[:150]
    for record in records:
        del record["scores"]
    inferred = audited(filled(tmp_path, records))
    assert (inferred.mismatches, inferred.gaps, inferred.checked["score"]) == ([], [], 0)
    assert inferred.checked["mcc"] > 1000
    whole = audited(Store(tmp_path / "store"), from_start=True)
    assert (whole.mismatches, whole.unchecked, whole.checked["mcc"]) == ([], {}, 1500)


def test_an_empty_store_is_said_to_be_empty(store: Store) -> None:
    with writing(store):
        pass
    with pytest.raises(QueryError, match="found 0 challenges with 0 answers; expected"):
        audited(store)


@pytest.mark.parametrize(
    "codes", [ScoreVerdict, Interruption, StretchStart, Evidence, HotkeyChange]
)
def test_codes_fit_the_int8_arrays_of_the_loops(codes: type[IntEnum] | type[IntFlag]) -> None:
    assert min(codes) >= 0
    assert sum(codes) <= np.iinfo(np.int8).max


def test_a_failed_model_check_is_not_the_answers_fault(tmp_path: Path, golden: Path) -> None:
    """The reward of 0 stands in the score too; a reward that was only changed to 0 does not."""
    records = golden_records(golden, "e5")
    paid = [
        (position, slot)
        for position, record in enumerate(records)
        for slot, reward in enumerate(record["rewards"])
        if reward > 0
    ]
    failed = copy.deepcopy(records)
    for position, slot in paid[40::25]:
        failed[position]["rewards"][slot] = 0.0
    for from_start in (True, False):
        folder = tmp_path / str(from_start)
        report = audited(filled(folder, scored_again(failed)), from_start=from_start)
        assert report.mismatches == []
        assert report.unchecked == {MODEL_CHECK: len(paid[40::25])}
        position, slot = paid[100]
        changed = copy.deepcopy(records)
        changed[position]["rewards"][slot] = 0.0
        wrong = audited(filled(folder / "changed", changed), from_start=from_start).mismatches
        assert keys(wrong) == {(position, slot, records[position]["miner_uids"][slot], "reward")}
