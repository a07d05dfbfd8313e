"""Difficulties of challenges and doubtful labels, kept in the store: a million take minutes.

They name their basis: a hash of all that they rest on. Where that is another by now (logs were
added, the code changed) they are out of date, which is said wherever they are shown.
"""

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.miners.report import MinerReport
from analytics.miners.wrong_labels import WrongLabels
from analytics.warehouse.contents import contents_digest
from data.atomic_files import atomic_file, make_folder
from data.digests import code_digest
from data.errors import WriteError
from data.kept_values import keep, read_kept
from data.store import Store

DIFFICULTIES = pa.schema([("challenge_id", pa.string()), ("difficulty", pa.float64())])
"""Of a table of difficulties, in logits."""

_CODE = ("analytics", "data")
_FILE = "estimates.json"


@dataclass(frozen=True)
class KeptEstimates:
    """What is kept: when it was made (UTC), and doubtful labels.

    `challenges` is the number of answered ones, whose difficulties `kept_difficulties` reads. Where
    no model could be fitted, `labels` is None, `challenges` 0, and `no_model` says why.
    """

    basis: str
    made: datetime
    challenges: int
    labels: WrongLabels | None
    no_model: str | None


def estimates_basis(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of all that estimates rest on: the logs, and this code."""
    parts = [contents_digest(connection), code_digest(*_CODE)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def kept_estimates(store: Store) -> KeptEstimates | None:
    """The estimates that are kept; None without any, or where they are damaged."""
    kept = read_kept(store.miners / _FILE, KeptEstimates)
    if kept is None or not _difficulties_file(store, kept.basis).is_file():
        return None
    return kept


def keep_estimates(store: Store, report: MinerReport, basis: str) -> None:
    """Keep the estimates of a report, in place of older ones; not in a store only to be read.

    Args:
        store: where.
        report: on all miners of all validators.
        basis: what it rests on.
    """
    table = DIFFICULTIES.empty_table()
    if report.model is not None:
        columns = report.model.challenges.select(DIFFICULTIES.names).to_arrow()
        table = columns.cast(DIFFICULTIES)
    file = _difficulties_file(store, basis)
    with suppress(WriteError):
        make_folder(store.miners)
        with atomic_file(file) as temporary:
            pq.write_table(table, temporary, compression="zstd")
        made = datetime.now(UTC).replace(microsecond=0)
        kept = KeptEstimates(basis, made, table.num_rows, report.wrong_labels, report.no_model)
        keep(store.miners / _FILE, kept)
        for older in store.miners.glob("difficulties-*.parquet"):
            if older != file:
                older.unlink(missing_ok=True)


def kept_difficulties(store: Store, basis: str) -> pa.Table:
    """The difficulties of that basis, of the schema `DIFFICULTIES`; none where they cannot be read.

    They may have been replaced since they were found, or be damaged.
    """
    try:
        return pq.read_table(_difficulties_file(store, basis), schema=DIFFICULTIES)
    except (OSError, pa.ArrowException):
        return DIFFICULTIES.empty_table()


def _difficulties_file(store: Store, basis: str) -> Path:
    return store.miners / f"difficulties-{basis[:16]}.parquet"
