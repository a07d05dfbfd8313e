"""The promotions log, `models/promotions.jsonl`: what became champion, what was refused, and why.

Lines are only ever appended. An entry says what is to happen; it has happened once the pointer
names it (`pointer.py`). So a process that is killed between the two leaves an entry without effect,
and the champion that was there.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from data.atomic_files import make_folder, sync, write_error
from data.store import Store

if TYPE_CHECKING:
    from model.promotion_gate.verdict import Verdict  # SciPy, which to read the log needs not

PROMOTIONS = "promotions.jsonl"

Event = Literal["promoted", "refused", "set", "rolled back"]
"""`promoted` and `refused` by the gate, `set` and `rolled back` by a person."""


@dataclass(frozen=True)
class GateRecord:
    """What the log keeps of a verdict; fields as there."""

    gate_set: str
    attempt: int
    champion_id: str
    challenger_id: str
    statistic: str
    champion: float
    challenger: float
    difference: float
    interval: tuple[float, float] | None
    level: float
    n: int
    images: int
    answers: int
    left_out: Mapping[str, int]
    failed_slices: Sequence[str]

    @classmethod
    def of(cls, verdict: "Verdict") -> "GateRecord":
        """The record of a verdict."""
        return cls(
            gate_set=verdict.gate_set,
            attempt=verdict.attempt,
            champion_id=verdict.champion_id,
            challenger_id=verdict.challenger_id,
            statistic=verdict.statistic,
            champion=verdict.champion,
            challenger=verdict.challenger,
            difference=verdict.difference,
            interval=verdict.interval,
            level=verdict.level,
            n=verdict.n,
            images=verdict.images,
            answers=verdict.answers,
            left_out=dict(verdict.left_out),
            failed_slices=[f"{part.field} {part.value}" for part in verdict.slices if part.fails],
        )


@dataclass(frozen=True)
class Entry:
    """A line of the promotions log.

    Attributes:
        entry: its number, from 1.
        at: when it was written, UTC.
        event: what it is about.
        folder: of the checkpoint, relative to the store where it lies in it.
        sha256: of that checkpoint, see `checkpoint_digest`.
        previous: the entry that the pointer named then; None if there was no champion.
        restores: the entry that made the same checkpoint champion earlier, of a rollback.
        reasons: sentences.
        gate: the verdict's numbers, where a gate decided.
    """

    entry: int
    at: str
    event: Event
    folder: str
    sha256: str
    previous: int | None
    restores: int | None
    reasons: Sequence[str]
    gate: GateRecord | None


def read_promotions(store: Store) -> list[Entry]:
    """All entries in order; what is no entry, such as a line that a kill cut short, is passed over.

    Raises:
        OSError: the log is there and cannot be read.
    """
    return list(_entries(_file(store)))


def append_promotion(store: Store, entry: Entry) -> Entry:
    """Append an entry, and wait until it is on disk; the caller holds the store's champion lock.

    Returns:
        The entry.

    Raises:
        WriteError: it cannot be written; the log is as it was.
    """
    file = _file(store)
    make_folder(file.parent)
    line = json.dumps(asdict(entry), ensure_ascii=True) + "\n"
    try:
        _append(file, line.encode())
    except OSError as error:
        raise write_error(file, error) from error
    return entry


def _append(file: Path, line: bytes) -> None:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        # what a kill cut short stays as a line of its own
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        try:
            _write_all(descriptor, b"\n" + line if torn else line)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    sync(file.parent)


def _write_all(descriptor: int, content: bytes) -> None:
    """A disk that is nearly full takes a part of it first."""
    while content:
        content = content[os.write(descriptor, content) :]


def _entries(file: Path) -> Iterator[Entry]:
    if not file.exists():
        return
    for line in file.read_bytes().split(b"\n"):
        try:
            written = json.loads(line)
            yield _parsed(written)
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _parsed(written: dict[str, Any]) -> Entry:
    gate = written["gate"]
    if gate is not None:
        interval = gate["interval"]
        ends = None if interval is None else (float(interval[0]), float(interval[1]))
        gate = GateRecord(**gate | {"interval": ends})
    entry = Entry(**written | {"gate": gate})
    numbers = [entry.entry, *(n for n in (entry.previous, entry.restores) if n is not None)]
    texts = (entry.folder, entry.sha256, entry.at)
    if not all(isinstance(number, int) for number in numbers):
        raise TypeError("a number of an entry")
    if not all(isinstance(text, str) for text in texts) or entry.event not in get_args(Event):
        raise TypeError("text of an entry")
    return entry


def _file(store: Store) -> Path:
    return store.models / PROMOTIONS
