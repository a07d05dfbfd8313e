"""Every way in which a checkpoint becomes champion: by the gate, by a person, by a rollback.

A change is one entry of the promotions log, then one replaced pointer. Whenever it is interrupted,
the champion is the old one or the new one, and never a folder that is not what was promoted.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from data.errors import RunError
from data.store import Store
from model.champion.champion import Champion, champion_lock, check_unaltered
from model.champion.checkpoint_digest import checkpoint_digest
from model.champion.gate_sets import attempt_number, keep_gate_set
from model.champion.pointer import Pointer, read_pointer, stored_folder, write_pointer
from model.champion.promotions import (
    Entry,
    Event,
    GateRecord,
    append_promotion,
    read_promotions,
)
from model.promotion_gate.evidence import Evidence
from model.promotion_gate.judge import judge
from model.promotion_gate.settings import GateSettings
from model.promotion_gate.verdict import Verdict

SET_REASON = "set by a person, without a gate"

_SET = "`streetreplay champion set FOLDER`"


@dataclass(frozen=True)
class GateOutcome:
    """A verdict and the log's entry about it."""

    verdict: Verdict
    entry: Entry


def set_champion(store: Store, folder: Path, reason: str = SET_REASON) -> Entry:
    """Make a checkpoint champion without a gate; nothing happens if it is champion already.

    Raises:
        RunError: no whole checkpoint, or another process changes the champion.
        WriteError: the store cannot be written; the champion is as it was.
    """
    digest = checkpoint_digest(folder)
    with _changing(store) as state:
        standing = state.standing(folder, digest)
        return standing or state.move(state.entry("set", folder, digest, [reason]))


def roll_back(store: Store) -> Entry:
    """Make the champion before this one champion again; repeated, the one before that.

    Raises:
        RunError: there was none, its folder was removed or altered, or another process changes the
            champion. The champion is as it was.
        WriteError: the store cannot be written; likewise.
    """
    with _changing(store) as state:
        pointer = read_pointer(store)
        if pointer is None:
            raise RunError("rollback", found="no champion", remedy=f"name one: {_SET}")
        earlier = state.earlier(pointer)
        if earlier is None:
            raise RunError(
                f"rollback of {pointer.folder}",
                found="no champion before it in the promotions log",
                expected="one to go back to",
                remedy=f"name another: {_SET}",
            )
        folder = store.root / earlier.folder
        check_unaltered(folder, earlier.sha256)
        reasons = [f"rolled back from {pointer.folder}"]
        return state.move(
            state.entry("rolled back", folder, earlier.sha256, reasons, restores=earlier.entry)
        )


def rollback_target(store: Store) -> Entry | None:
    """The entry whose checkpoint `roll_back` would make champion again; None if there is none.

    Raises:
        RunError: the pointer is damaged.
    """
    pointer = read_pointer(store)
    if pointer is None:
        return None
    return _State(store, read_promotions(store), pointer).earlier(pointer)


def gate(
    store: Store,
    against: Champion,
    folder: Path,
    evidence: Evidence,
    settings: GateSettings = GateSettings(),
) -> GateOutcome:
    """Judge a challenger, write down the verdict, and promote it if the verdict says so.

    The attempt is counted before anything is judged. The same challenger on the same evidence again
    gets the same verdict, and one entry: an interrupted gate is simply repeated.

    Args:
        store: of the champion.
        against: the champion that the evidence is about.
        folder: the challenger's checkpoint.
        evidence: answers of both.
        settings: of the gate.

    Raises:
        RunError: no whole checkpoint in `folder`, or the champion is another one by now.
        WriteError: the store cannot be written; the champion is as it was.
    """
    digest = checkpoint_digest(folder)
    with _changing(store) as state:
        verdict = judge(evidence, settings, attempt_number(store, state.entries, evidence))
        standing = state.standing(folder, digest)
        if standing is not None and verdict.promoted:
            return GateOutcome(verdict, standing)
        state.check_still(against)
        refused = state.refused(verdict)
        if refused is not None and not verdict.promoted:
            return GateOutcome(verdict, refused)
        keep_gate_set(store, evidence.gate_set)
        event: Event = "promoted" if verdict.promoted else "refused"
        entry = state.entry(event, folder, digest, verdict.reasons, gate=GateRecord.of(verdict))
        if verdict.promoted:
            entry = state.take_effect(state.written(entry) or append_promotion(store, entry))
        else:
            append_promotion(store, entry)
        return GateOutcome(verdict, entry)


@dataclass(frozen=True)
class _State:
    """What the log and the pointer say while this process holds the lock."""

    store: Store
    entries: Sequence[Entry]
    pointer: Pointer | None

    def entry(
        self,
        event: Event,
        folder: Path,
        sha256: str,
        reasons: Sequence[str],
        *,
        restores: int | None = None,
        gate: GateRecord | None = None,
    ) -> Entry:
        """The next entry of the log, not yet written."""
        present = None if self.pointer is None else self.pointer.entry
        # the pointer's too, should the log have been removed
        return Entry(
            entry=max((present or 0, *(entry.entry for entry in self.entries))) + 1,
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            event=event,
            folder=stored_folder(self.store, folder),
            sha256=sha256,
            previous=present,
            restores=restores,
            reasons=list(reasons),
            gate=gate,
        )

    def move(self, entry: Entry) -> Entry:
        """Append the entry, then let the pointer name it: only then is it in effect."""
        return self.take_effect(append_promotion(self.store, entry))

    def take_effect(self, entry: Entry) -> Entry:
        """Let the pointer name an entry of the log."""
        write_pointer(self.store, Pointer(entry.entry, entry.folder, entry.sha256))
        return entry

    def written(self, entry: Entry) -> Entry | None:
        """The log's entry that says just this, of a gate that was cut off before the pointer moved.

        Had it been in effect ever, `previous` would be another one by now.
        """
        for known in self.entries:
            if replace(known, entry=entry.entry, at=entry.at) == entry:
                return known
        return None

    def standing(self, folder: Path, sha256: str) -> Entry | None:
        """The entry that the pointer names, if this very checkpoint is champion."""
        named = None if self.pointer is None else (self.pointer.folder, self.pointer.sha256)
        if named != (stored_folder(self.store, folder), sha256):
            return None
        return self._numbered(self.pointer.entry if self.pointer else None)

    def refused(self, verdict: Verdict) -> Entry | None:
        """The entry that refused this very challenger on this very evidence, if there is one."""
        judged = (verdict.gate_set, verdict.champion_id, verdict.challenger_id)
        for entry in self.entries:
            record = entry.gate
            if (
                entry.event == "refused"
                and record is not None
                and judged == (record.gate_set, record.champion_id, record.challenger_id)
            ):
                return entry
        return None

    def earlier(self, pointer: Pointer) -> Entry | None:
        """The entry that made champion what was there before the present one."""
        present = self._restored(pointer.entry)
        return None if present is None else self._restored(present.previous)

    def check_still(self, against: Champion) -> None:
        """Refuse a comparison with what is champion no more."""
        if self.pointer is None or self.pointer.entry != against.entry:
            raise RunError(
                "gate",
                found=f"champion {self.pointer.folder if self.pointer else 'none'} by now",
                expected=f"{against.folder}, which the challenger was compared with",
                remedy="compare it with the new one: retrain again",
            )

    def _restored(self, number: int | None) -> Entry | None:
        """The entry of that number; of a rollback the one that it went back to."""
        entry = self._numbered(number)
        return entry if entry is None or entry.restores is None else self._numbered(entry.restores)

    def _numbered(self, number: int | None) -> Entry | None:
        return next((entry for entry in self.entries if entry.entry == number), None)


@contextmanager
def _changing(store: Store) -> Iterator[_State]:
    with champion_lock(store):
        try:
            pointer = read_pointer(store)
        except RunError:
            pointer = None  # a damaged one is replaced like none
        yield _State(store, read_promotions(store), pointer)
