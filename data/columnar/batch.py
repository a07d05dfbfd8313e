"""Clean records as Arrow tables: the rows of `media` and of `responses` that they give."""

from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.columnar.augmentation import AUGMENTATION_COLUMNS
from data.columnar.clean_record import CleanRecord
from data.columnar.field_memory import SOURCE_COLUMNS
from data.columnar.reward_exponents import fitting_exponents
from data.records.content_id import NUMBER_LISTS
from data.records.eras import ALL_EXPONENTS, Evidence, InferredEras, eras_of_evidence
from data.records.fields import NULL_COLUMNS, RESPONSE_LISTS

_RESPONSE_COLUMNS = {"prediction": "predictions", "reward": "rewards"} | {
    column: key for key, column in RESPONSE_LISTS.items()
}

_Integers = NDArray[np.int64]


class CleanBatch:
    """Records of one log, collected until they are made tables."""

    def __init__(self, file: str, media: pa.Schema, responses: pa.Schema) -> None:
        """Begin a batch.

        Args:
            file: the log's name in the store.
            media: the columns of the relation, and `seq`.
            responses: the same.
        """
        self._file, self._media, self._responses = file, media, responses
        self._records: list[CleanRecord] = []
        self._seqs: list[int] = []
        self.bytes = 0
        """About how much memory they hold."""

    def add(self, record: CleanRecord, seq: int) -> None:
        """Add a record; `seq` numbers it among all items of an ingest."""
        self._records.append(record)
        self._seqs.append(seq)
        self.bytes += len(record.numbers) + len(record.other or "") + _RECORD_BYTES

    def __len__(self) -> int:
        return len(self._records)

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """The rows of `media` and of `responses`, in order of `seq`."""
        numbers = _Numbers(self._records)
        return self._media_rows(numbers), self._response_rows(numbers)

    def _media_rows(self, numbers: "_Numbers") -> pa.Table:
        records = self._records
        size = len(records)
        eras = _eras(records, numbers)
        columns: dict[str, Any] = {
            "seq": self._seqs,
            "challenge_id": [record.challenge_id for record in records],
            "file": [self._file] * size,
            "position": [record.position for record in records],
            "era": [inferred.candidates[0] for inferred in eras],
            "era_candidates": [inferred.candidates for inferred in eras],
            "era_evidence": [inferred.evidence for inferred in eras],
            "label": [record.label for record in records],
            "other": [record.other for record in records],
            "scores": numbers.scores(),
        }
        columns.update(_origins(records))
        fields = zip(*[record.fields.columns for record in records], strict=True)
        columns.update(zip(SOURCE_COLUMNS, fields, strict=True))
        nulls = zip(*[record.fields.nulls for record in records], strict=True)
        columns.update(zip((f"{name}_null" for name in NULL_COLUMNS), nulls, strict=True))
        augmentation = zip(*[record.augmentation for record in records], strict=True)
        columns.update(zip(AUGMENTATION_COLUMNS, augmentation, strict=True))
        return _table(columns, self._media, size)

    def _response_rows(self, numbers: "_Numbers") -> pa.Table:
        records = self._records
        counts = numbers.counts
        total = int(counts.sum())
        slots = np.arange(total) - np.repeat(numbers.starts[:-1], counts)
        ids = pa.array([record.challenge_id for record in records], pa.string())
        of_record = pa.array(np.repeat(np.arange(len(records)), counts))
        uids = list(chain.from_iterable(record.uids for record in records))
        columns: dict[str, Any] = {
            "seq": np.repeat(np.array(self._seqs, np.int64), counts),
            "challenge_id": ids.take(of_record),
            "slot": slots.astype(np.int16),
            "uid": uids,
            "hotkey": list(chain.from_iterable(record.hotkeys for record in records)),
            "score": numbers.scores_of(np.array(uids)),
            "asked_again": _is_asked_again(records, numbers.starts),
        }
        columns.update((name, numbers.answers(key)) for name, key in _RESPONSE_COLUMNS.items())
        if any(record.model_urls for record in records):
            urls = (record.model_urls or [None] * record.answer_count for record in records)
            columns["model_url"] = list(chain.from_iterable(urls))
        return _table(columns, self._responses, total)


# Of a record besides its numbers: its texts, most of which are shared with other records.
_RECORD_BYTES = 4096


class _Numbers:
    """The lists of numbers of all records of a batch as arrays."""

    def __init__(self, records: list[CleanRecord]) -> None:
        self.counts: _Integers = np.array([record.answer_count for record in records])
        self.starts: _Integers = np.concatenate(([0], np.cumsum(self.counts)))
        """Where each record's answers begin among all, and their number."""
        self._values = np.frombuffer(b"".join(record.numbers for record in records))
        self._score_counts: _Integers = np.array([record.score_count for record in records])
        sizes = np.array([len(record.numbers) // 8 for record in records])
        self._ends: _Integers = np.cumsum(sizes)
        self._firsts: _Integers = self._ends - sizes
        ranks = {
            keys: [keys.index(key) if key in keys else -1 for key in NUMBER_LISTS]
            for keys in {record.number_keys for record in records}
        }
        self._ranks: _Integers = np.array([ranks[record.number_keys] for record in records])

    def has(self, key: str) -> NDArray[np.bool_]:
        """Which records hold a list."""
        held: NDArray[np.bool_] = self._ranks[:, NUMBER_LISTS.index(key)] >= 0
        return held

    def answers(self, key: str) -> pa.Array | None:
        """A number an answer, NULL where the record lacks the list; None if all do."""
        held = self.has(key)
        if not held.any():
            return None
        values = self._values[np.where(np.repeat(held, self.counts), self.indices(key), 0)]
        missing = None if held.all() else np.repeat(~held, self.counts)
        return pa.array(values, mask=missing)

    def floats(self, key: str) -> NDArray[np.float64]:
        """A number an answer; of a record that lacks the list any."""
        held = np.repeat(self.has(key), self.counts)
        return self._values[np.where(held, self.indices(key), 0)]

    def indices(self, key: str) -> _Integers:
        """Where each answer's number is."""
        first = self._firsts + self._ranks[:, NUMBER_LISTS.index(key)] * self.counts
        return np.arange(self.starts[-1]) + np.repeat(first - self.starts[:-1], self.counts)

    def scores_of(self, uids: _Integers) -> pa.Array:
        """The score of each answer's uid, NULL where its record has none."""
        counts = np.repeat(self._score_counts, self.counts)
        held = uids < counts
        first = np.repeat(self._ends - self._score_counts, self.counts)
        values = self._values[np.where(held, first + uids, 0)]
        return pa.array(values.astype(np.float32), mask=None if held.all() else ~held)

    def scores(self) -> pa.Array:
        """A list a record, NULL where it has none."""
        ends = np.cumsum(self._score_counts)
        starts = ends - self._score_counts
        indices = np.arange(ends[-1]) + np.repeat(
            self._ends - self._score_counts - starts, self._score_counts
        )
        offsets = np.concatenate(([0], ends)).astype(np.int32)
        values = pa.array(self._values[indices].astype(np.float32))
        missing = self._score_counts == 0
        return pa.ListArray.from_arrays(
            offsets, values, mask=pa.array(missing) if missing.any() else None
        )


def _eras(records: list[CleanRecord], numbers: _Numbers) -> list[InferredEras]:
    rewards, mccs = numbers.floats("rewards"), numbers.floats("miner_image_mcc")
    fitting = fitting_exponents(rewards, mccs, numbers.starts)
    logged = numbers.has("miner_image_mcc").tolist()
    known: dict[tuple[Evidence, frozenset[int]], InferredEras] = {}
    eras = []
    for record, fits, has_mcc in zip(records, fitting, logged, strict=True):
        key = (record.evidence, fits if has_mcc else ALL_EXPONENTS)
        if record.origin is not None and record.origin.time is not None:
            evidence = record.evidence._replace(exponents=key[1])
            eras.append(eras_of_evidence(evidence, record.origin.time))
            continue
        if key not in known:
            known[key] = eras_of_evidence(record.evidence._replace(exponents=key[1]), None)
        eras.append(known[key])
    return eras


def _origins(records: list[CleanRecord]) -> dict[str, list[Any]]:
    """The columns of runs, none where no record is known to be of one."""
    origins = [record.origin for record in records]
    if not any(origins):
        return {}
    runs = [origin and origin.run_id for origin in origins]
    return {
        "run_id": runs,
        # of the log, as in `analytics.warehouse.rows`
        "segment": [
            origin.part if origin and origin.run_id is not None else None for origin in origins
        ],
        "step": [origin and origin.step for origin in origins],
        "time": [_naive_utc(origin.time) if origin else None for origin in origins],
    }


def _naive_utc(time: datetime | None) -> datetime | None:
    if time is None or time.tzinfo is None:
        return time
    return time.astimezone(UTC).replace(tzinfo=None)


def _is_asked_again(records: list[CleanRecord], starts: _Integers) -> NDArray[np.bool_]:
    """Which answers are followed by another of the same uid in their record."""
    again = np.zeros(int(starts[-1]), np.bool_)
    for record, start in zip(records, starts.tolist(), strict=False):
        if record.evidence.repeats_uids:
            last = {uid: slot for slot, uid in enumerate(record.uids)}
            for slot, uid in enumerate(record.uids):
                again[start + slot] = last[uid] != slot
    return again


def _table(columns: dict[str, Any], schema: pa.Schema, size: int) -> pa.Table:
    """A table with all columns of a schema; those that are not given are NULL."""
    arrays = []
    for field in schema:
        values = columns.get(field.name)
        if values is None:
            arrays.append(pa.nulls(size, field.type))
        elif isinstance(values, pa.Array):
            arrays.append(values.cast(field.type))
        else:
            arrays.append(pa.array(values, field.type))
    return pa.table(arrays, schema=schema)
