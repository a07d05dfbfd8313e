"""Kills, full disks and damaged files: the champion is the old one or the new one, whole."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from data.errors import RunError, WriteError
from data.store import Store
from model.champion import champion as champion_module
from model.champion.champion import champion, entries_in_effect
from model.champion.pointer import POINTER
from model.champion.promotions import PROMOTIONS, read_promotions
from model.champion.succession import gate, roll_back, set_champion
from tests.model.champion.checkpoints import GATE, a_checkpoint, good_evidence, present
from tests.worlds.full_disk import fill, small_disk


@pytest.fixture
def first(store: Store) -> Path:
    """The first champion's folder."""
    folder = a_checkpoint(store, "first", 1)
    set_champion(store, folder)
    return folder


def shown(store: Store) -> str:
    return present(store).folder.name


class Killed(BaseException):
    """Nothing catches it, as nothing does a kill."""


CHANGES = ("write", "fsync", "ftruncate", "replace", "unlink", "mkdir", "open")


def kill_at(patch: pytest.MonkeyPatch, moment: int) -> list[str]:
    """Let the process do so many changes to the disk and die at the next; none follows."""
    done: list[str] = []

    def dying(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **options: Any) -> Any:
            if len(done) >= moment:
                raise Killed
            done.append(name)
            return real(*args, **options)

        return change

    for name in CHANGES:
        patch.setattr(os, name, dying(name, getattr(os, name)))
    return done


def test_a_kill_at_any_moment_leaves_the_old_or_the_new_and_the_same_again_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, moment = [], 0
    while True:
        store = Store(tmp_path / str(moment))
        set_champion(store, a_checkpoint(store, "first", 1))
        second, old = a_checkpoint(store, "second", 2), present(store)
        with monkeypatch.context() as patch:
            done = kill_at(patch, moment)
            try:
                gate(store, old, second, good_evidence(), GATE)
                killed = False
            except Killed:
                killed = True
        seen.append(shown(store))
        # whatever was cut short, what is in effect begins with the champion
        assert entries_in_effect(store)[0].folder == f"models/{seen[-1]}"
        outcome = gate(store, old, second, good_evidence(), GATE)
        assert (outcome.entry.event, outcome.verdict.attempt) == ("promoted", 1)
        assert shown(store) == "second"
        assert [entry.folder for entry in entries_in_effect(store)] == [
            "models/second",
            "models/first",
        ]
        # what was written before the kill takes effect, and nothing is written twice
        assert [entry.event for entry in read_promotions(store)] == ["set", "promoted"]
        assert roll_back(store).folder == "models/first"
        if not killed:
            break
        moment += 1
    assert {"write", "fsync", "replace"} <= set(done)
    assert moment >= 10
    assert set(seen) == {"first", "second"}
    # in order: once the new one is champion, no later kill brings the old one back
    assert seen == sorted(seen)


def test_a_promotion_that_was_cut_off_does_not_take_effect_over_another_champion(
    store: Store, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second, old = a_checkpoint(store, "second", 2), present(store)
    with monkeypatch.context() as patch:

        def killed(*_: Any) -> None:
            raise Killed

        patch.setattr("model.champion.succession.write_pointer", killed)
        with pytest.raises(Killed):
            gate(store, old, second, good_evidence(), GATE)
    set_champion(store, a_checkpoint(store, "third", 3))
    with pytest.raises(RunError, match="compare it with the new one"):
        gate(store, old, second, good_evidence(), GATE)
    assert gate(store, present(store), second, good_evidence(), GATE).entry.entry == 4
    assert [entry.entry for entry in entries_in_effect(store)] == [4, 3, 1]


def test_an_entry_between_log_and_pointer_has_no_effect(
    store: Store, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = a_checkpoint(store, "second", 2)
    with monkeypatch.context() as patch:

        def killed(*_: Any) -> None:
            raise Killed

        patch.setattr("model.champion.succession.write_pointer", killed)
        with pytest.raises(Killed):
            set_champion(store, second)
    assert shown(store) == "first"
    assert [entry.entry for entry in read_promotions(store)] == [1, 2]
    assert [entry.entry for entry in entries_in_effect(store)] == [1]
    assert set_champion(store, second).entry == 3
    assert [entry.entry for entry in entries_in_effect(store)] == [3, 1]
    assert roll_back(store).folder == "models/first"


@pytest.mark.parametrize("room", [True, False])
def test_a_full_disk_leaves_the_champion(tmp_path: Path, *, room: bool) -> None:
    """With room for the log's line alone, or not even for that."""
    with small_disk(tmp_path / "disk", 4000) as disk:
        store = Store(disk)
        set_champion(store, a_checkpoint(store, "first", 1))
        second, log = a_checkpoint(store, "second", 2), store.models / PROMOTIONS
        if not room:
            # its page is full
            log.write_bytes(log.read_bytes().ljust(4095, b"x") + b"\n")
        before = log.read_bytes()
        fill(disk)
        with pytest.raises(WriteError, match="No space left"):
            set_champion(store, second)
        assert shown(store) == "first"
        assert len(entries_in_effect(store)) == 1
        assert (log.read_bytes() != before) == room
        (disk / "ballast").unlink()
        set_champion(store, second)
        assert shown(store) == "second"
        assert roll_back(store).folder == "models/first"


def test_a_line_cut_short_and_a_damaged_one_are_passed_over(store: Store, first: Path) -> None:
    log = store.models / PROMOTIONS
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"entry": 9, "gate": 5}\n[1]\n\xff\n' + whole[: len(whole) // 2])
    set_champion(store, a_checkpoint(store, "second", 2))
    assert [entry.entry for entry in read_promotions(store)] == [1, 2]
    assert shown(store) == "second"
    # nothing of what was there is lost
    assert log.read_bytes().startswith(whole)
    assert roll_back(store).folder == "models/first"


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": "other"}'])
def test_a_damaged_pointer_is_refused_and_may_be_set_anew(
    store: Store, first: Path, content: bytes
) -> None:
    (store.models / POINTER).write_bytes(content)
    for attempt in (champion, roll_back, entries_in_effect):
        with pytest.raises(RunError, match="expected the pointer to the champion"):
            attempt(store)
    set_champion(store, first)
    assert shown(store) == "first"


def test_without_its_log_a_champion_is_shown_and_numbers_go_on(store: Store, first: Path) -> None:
    (store.models / PROMOTIONS).unlink()
    assert shown(store) == "first"
    with pytest.raises(RunError, match="no champion before it"):
        roll_back(store)
    assert set_champion(store, a_checkpoint(store, "second", 2)).entry == 2


def test_two_processes_do_not_change_it_at_once(
    store: Store, first: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(champion_module, "_LOCK_SECONDS", 0.01)
    second = a_checkpoint(store, "second", 2)
    with FileLock(store.models / "champion.lock"), pytest.raises(RunError, match="one at a time"):
        set_champion(store, second)
    assert shown(store) == "first"
