"""What becomes champion, and that no kill, full disk or altered folder leaves another one there."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data.errors import RunError
from data.store import Store
from model.champion.champion import champion, entries_in_effect
from model.champion.checkpoint_digest import checkpoint_digest
from model.champion.pointer import POINTER
from model.champion.promotions import read_promotions
from model.champion.succession import gate, roll_back, set_champion
from tests.model.champion.checkpoints import (
    GATE,
    a_checkpoint,
    bad_evidence,
    good_evidence,
    present,
)


@pytest.fixture
def first(store: Store) -> Path:
    """The first champion's folder."""
    folder = a_checkpoint(store, "first", 1)
    set_champion(store, folder)
    return folder


def shown(store: Store) -> str:
    return present(store).folder.name


def judged(store: Store, folder: Path, evidence: Any) -> str:
    return gate(store, present(store), folder, evidence, GATE).entry.event


def test_there_is_none_then_the_first_then_a_better_one_and_back(store: Store) -> None:
    assert champion(store) is None
    assert entries_in_effect(store) == []
    first, second = (a_checkpoint(store, name, k) for k, name in enumerate(("first", "second")))
    set_champion(store, first)
    assert shown(store) == "first"
    assert judged(store, second, good_evidence()) == "promoted"
    assert shown(store) == "second"
    roll_back(store)
    assert shown(store) == "first"
    entries = read_promotions(store)
    assert [entry.event for entry in entries] == ["set", "promoted", "rolled back"]
    assert [entry.entry for entry in entries_in_effect(store)] == [3, 2, 1]
    assert [entry.sha256 for entry in entries] == [
        checkpoint_digest(folder) for folder in (first, second, first)
    ]
    gated = entries[1].gate
    assert gated is not None
    assert gated.interval is not None
    assert (gated.attempt, gated.interval[0] > 0) == (1, True)
    assert "reward in miners' places" in entries[1].reasons[0]
    with pytest.raises(RunError, match="no champion before it"):
        roll_back(store)


def test_a_rollback_repeated_goes_back_further_and_not_to_and_fro(store: Store) -> None:
    folders = [a_checkpoint(store, name, k) for k, name in enumerate("abcd")]
    for folder in folders[:3]:
        set_champion(store, folder)
    went_back = [roll_back(store).folder for _ in range(2)]
    assert went_back == ["models/b", "models/a"]
    set_champion(store, folders[3])
    roll_back(store)
    assert shown(store) == "a"


def test_a_refused_one_is_written_down_and_changes_nothing(store: Store, first: Path) -> None:
    before = (store.models / POINTER).read_bytes()
    assert judged(store, a_checkpoint(store, "bad", 2), bad_evidence()) == "refused"
    assert shown(store) == first.name
    assert (store.models / POINTER).read_bytes() == before
    entry = read_promotions(store)[-1]
    assert (entry.event, entry.folder) == ("refused", "models/bad")
    assert any("does not lie above 0" in reason for reason in entry.reasons)


def test_each_challenger_on_one_gate_set_is_one_more_attempt_again_is_not(
    store: Store, first: Path
) -> None:
    folder = a_checkpoint(store, "bad", 2)
    old = present(store)
    attempts = [
        gate(store, old, folder, bad_evidence(seed), GATE).verdict.attempt
        for seed in (1, 2, 3, 2, 4)
    ]
    assert attempts == [1, 2, 3, 2, 4]
    # each is judged by a wider interval than the one before; one that is judged again has its entry
    levels = [entry.gate.level for entry in read_promotions(store) if entry.gate is not None]
    assert levels == pytest.approx([1 - 0.1 / (k * (k + 1)) for k in (1, 2, 3, 4)])


def test_setting_the_same_one_again_writes_nothing(store: Store, first: Path) -> None:
    set_champion(store, first)
    assert len(read_promotions(store)) == 1


def test_a_store_may_be_moved(store: Store, first: Path, tmp_path: Path) -> None:
    store.root.rename(tmp_path / "moved")
    assert shown(Store(tmp_path / "moved")) == "first"


def test_a_checkpoint_outside_the_store_may_be_champion(store: Store, tmp_path: Path) -> None:
    folder = a_checkpoint(Store(tmp_path / "elsewhere"), "mine", 3)
    set_champion(store, folder)
    assert present(store).folder == folder


def alter_weights(folder: Path) -> None:
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def alter_card(folder: Path) -> None:
    file = folder / "model.json"
    card = json.loads(file.read_text("utf-8"))
    card["training"]["mcc"] = 0.99
    file.write_text(json.dumps(card), "utf-8")


def train_again(folder: Path) -> None:
    shutil.rmtree(folder)
    a_checkpoint(Store(folder.parents[1]), folder.name, 77)


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (shutil.rmtree, "no such folder"),
        (alter_weights, "expected sha256"),
        (alter_card, "another checkpoint"),
        (train_again, "another checkpoint"),
        (lambda folder: (folder / "training_rows.parquet").unlink(), "no such file"),
    ],
)
def test_a_folder_that_was_removed_or_altered_is_refused_in_one_line(
    store: Store, first: Path, harm: Callable[[Path], Any], said: str
) -> None:
    second = a_checkpoint(store, "second", 2)
    set_champion(store, second)
    pointer = (store.models / POINTER).read_bytes()
    harm(first)
    # the earlier one: a rollback is refused, and the present one stays
    with pytest.raises(RunError, match=said) as refused:
        roll_back(store)
    assert "\n" not in str(refused.value)
    assert "champion set FOLDER" in str(refused.value)
    assert (store.models / POINTER).read_bytes() == pointer
    assert shown(store) == "second"
    # the present one: it is refused, and another may be set
    harm(second)
    with pytest.raises(RunError, match=said):
        champion(store)
    third = a_checkpoint(store, "third", 3)
    set_champion(store, third)
    assert shown(store) == "third"


def test_a_file_beside_the_checkpoint_alters_nothing(store: Store, first: Path) -> None:
    (first / "notes.txt").write_text("mine", "utf-8")
    assert shown(store) == "first"


def test_a_challenger_that_is_no_whole_checkpoint_is_refused(store: Store, first: Path) -> None:
    broken = a_checkpoint(store, "broken", 2)
    alter_weights(broken)
    before = sorted(path.name for path in store.models.iterdir())
    for attempt in (lambda: set_champion(store, broken), lambda: judged_good(store, broken)):
        with pytest.raises(RunError, match="expected sha256"):
            attempt()
    assert shown(store) == "first"
    assert sorted(path.name for path in store.models.iterdir()) == before
    assert len(read_promotions(store)) == 1


def judged_good(store: Store, folder: Path) -> str:
    return judged(store, folder, good_evidence())


def test_a_verdict_about_an_older_champion_promotes_nobody(store: Store, first: Path) -> None:
    old = present(store)
    set_champion(store, a_checkpoint(store, "second", 2))
    with pytest.raises(RunError, match="champion models/second by now"):
        gate(store, old, a_checkpoint(store, "third", 3), good_evidence(), GATE)
    assert shown(store) == "second"


def test_gate_sets_with_a_common_image_are_one_and_others_begin_anew(
    store: Store, first: Path
) -> None:
    folder, old = a_checkpoint(store, "bad", 2), present(store)

    def attempt(name: str, *images: str) -> int:
        evidence = bad_evidence()
        sets = replace(evidence.gate_set, sha256=name, images=frozenset(images))
        return gate(
            store, old, folder, replace(evidence, gate_set=sets, challenger_id=name), GATE
        ).verdict.attempt

    # a log that grew, then one of other images, then one of both
    assert [attempt("aa", "1", "2"), attempt("bb", "2", "3")] == [1, 2]
    assert attempt("cc", "7", "8") == 1
    assert attempt("dd", "1", "8") == 3
    # images that are no longer known count as shared
    (store.models / "gate_sets" / "cc.json").write_text("{", "utf-8")
    assert attempt("ee", "99") == 2
