"""A replay as a folder: `run.json`, and Parquet parts written atomically as it goes.

The same replay again is the same run, see `run_id`: an interrupted one goes on where it stopped,
see `resume`, and a finished one is not done twice.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock

from data.atomic_files import write_atomic
from data.errors import RunError
from data.store import Store
from replay.answering.part_file import PART_SCHEMA
from replay.candidates.description import CandidateDescription
from replay.candidates.predictor import TRAINING_ROWS
from replay.runs.planned_run import PlannedRun
from replay.runs.provenance import provenance
from replay.runs.run_id import answer_determinants, run_id
from replay.runs.run_lock import lock_run
from replay.runs.training_rows import keep_training_rows

_PARTS = "parts"
_DESCRIPTION = "run.json"


@dataclass(frozen=True)
class RunFolder:
    """A replay's folder and its id; `lock` is this process's while it works on it."""

    run_id: str
    path: Path
    lock: FileLock

    def part(self, index: int) -> Path:
        """The file of one part."""
        return self.path / _PARTS / f"part-{index:05d}.parquet"

    def write_part(self, index: int, parquet: bytes) -> None:
        """Write a part's file whole or not at all."""
        write_atomic(self.part(index), parquet)

    @property
    def part_files(self) -> frozenset[Path]:
        """The files of all parts that are there, whole or not."""
        return frozenset((self.path / _PARTS).iterdir())

    def count_unanswered(self, index: int) -> int | None:
        """How many challenges of a part have no answer, by the file's last bytes alone.

        None if it was not written whole, or a power failure emptied it: all is to be done then.
        """
        try:
            return _null_probabilities(pq.read_metadata(self.part(index)))
        except (OSError, pa.ArrowException):
            return None

    def unanswered(self, index: int) -> set[str] | None:
        """The challenges of a part that have no answer; None as of `count_unanswered`."""
        try:
            table = self._table(index)
        except (OSError, pa.ArrowException):
            return None
        unanswered = table.filter(pc.is_null(table["probability"]))
        return set(unanswered["challenge_id"].to_pylist())

    def read_part(self, index: int) -> list[dict[str, Any]]:
        """The rows of a part that was written."""
        rows: list[dict[str, Any]] = self._table(index).to_pylist()
        return rows

    def read_parts(self, indices: Iterable[int]) -> pa.Table:
        """The rows of several parts that were written, one after another.

        Raises:
            RunError: one of them was damaged since; it is deleted, to be predicted again.
        """
        return pa.concat_tables(map(self._whole_table, indices))

    def _whole_table(self, index: int) -> pa.Table:
        try:
            return self._table(index)
        except (OSError, pa.ArrowException) as error:
            if getattr(error, "errno", None) is not None:
                raise  # the system's: the file itself may be whole
            self.part(index).unlink(missing_ok=True)
            raise RunError(
                f"{self.part(index).name} of {self.run_id}",
                found=f"it damaged ({' '.join(str(error).split())})",
                expected="what was written",
                remedy="run the same again: it is deleted, and will be predicted anew",
            ) from None

    def _table(self, index: int) -> pa.Table:
        # Not through the dataset reader: it would take the folder's name for a partition.
        return pq.ParquetFile(self.part(index), page_checksum_verification=True).read()

    def read_description(self) -> dict[str, Any]:
        """Read `run.json`.

        Raises:
            RunError: it is not there, empty, cut short or that of another run.
        """
        file = self.path / _DESCRIPTION
        try:
            described = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise RunError(str(file), found=error, expected="a JSON object") from None
        if not isinstance(described, dict) or described.get("run_id") != self.run_id:
            raise RunError(str(file), found="another content", expected=f"that of {self.run_id}")
        return described

    @property
    def has_description(self) -> bool:
        """True if `run.json` is there and complete."""
        try:
            self.read_description()
        except RunError:
            return False
        return True

    def write_description(
        self, decisive: Mapping[str, Any], asked: Mapping[str, Any], precision: str
    ) -> None:
        """Write `run.json`, or add to the one that is there who goes on with the run, and when.

        Args:
            decisive: all that determines the answers.
            asked: in which words the run was asked for, as JSON takes them.
            precision: of the candidate's floats.

        Raises:
            WriteError: the folder cannot be written.
        """
        made_by = {**provenance(), "precision": precision, "asked": dict(asked)}
        try:
            described = self.read_description()
            described["resumed"] = [*described.get("resumed", []), made_by]
        except RunError:
            # It says nothing that is not known here, so a damaged one is no loss.
            described = {"run_id": self.run_id, **decisive, "made_by": made_by, "resumed": []}
        text = json.dumps(described, indent=2, default=str) + "\n"
        write_atomic(self.path / _DESCRIPTION, text.encode())

    def delete_results(self) -> None:
        """Delete all that was written, so that the run starts over.

        Raises:
            OSError: the folder cannot be written.
        """
        # In one step: of a half-emptied folder the rest would be taken for answers.
        (self.path / _PARTS).replace(self.path / f"{_PARTS}.{os.getpid()}.old")
        (self.path / _PARTS).mkdir()
        for file in (_DESCRIPTION, TRAINING_ROWS):
            (self.path / file).unlink(missing_ok=True)
        self.delete_leftovers()

    def delete_leftovers(self) -> None:
        """Delete what a killed process has left half done; under the lock no other is at work."""
        for file in self.path.rglob("*.aside"):
            file.unlink()
        for folder in self.path.glob(f"{_PARTS}.*.old"):
            shutil.rmtree(folder)


def _null_probabilities(metadata: pq.FileMetaData) -> int:
    column = PART_SCHEMA.get_field_index("probability")
    groups = map(metadata.row_group, range(metadata.num_row_groups))
    return sum(group.column(column).statistics.null_count for group in groups)


def open_run_folder(
    store: Store, candidate: CandidateDescription, planned: PlannedRun
) -> tuple[RunFolder, dict[str, Any]]:
    """Make, or find again, the folder of a replay; it keeps the candidate's training rows.

    They are no part of the run id: no answer depends on them, and the weights are in it.

    Returns:
        The folder, locked for this process, and all that determines the answers.

    Raises:
        RunError: another process is at it, or the folder cannot be written.
    """
    decisive = answer_determinants(candidate, planned)
    path = store.runs / run_id(decisive)
    try:
        (path / _PARTS).mkdir(parents=True, exist_ok=True)
        run = RunFolder(path.name, path, lock_run(path))
        try:
            run.delete_leftovers()
            if planned.fresh:
                run.delete_results()
            keep_training_rows(candidate, run.path)
        except BaseException:
            run.lock.release()
            raise
    except OSError as error:
        raise RunError(str(path), found=error.strerror, expected="a writable store") from None
    return run, decisive
