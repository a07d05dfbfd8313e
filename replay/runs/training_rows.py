"""The rows that a replay's candidate was trained on, kept in the run's folder.

A comparison of the run then leaves out what the candidate was trained on, without being asked to.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from data.atomic_files import atomic_file
from data.errors import RunError, SourceError
from data.store import Store
from replay.candidates.description import CandidateDescription
from replay.candidates.predictor import TRAINING_ROWS

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TrainedOn:
    """Training rows of a candidate, as `training_overlap.challenge_overlap` takes them.

    `rows` is None where `file` is not there: they are unknown then. `own` is False for a file that
    a person named in place of the one in the run's folder.
    """

    file: Path
    rows: "pl.DataFrame | None"
    own: bool


def keep_training_rows(candidate: CandidateDescription, folder: Path) -> None:
    """Keep a candidate's training rows in a run's folder, whole or not at all.

    Where the candidate names none, what an earlier opening of the same run has kept stays.

    Raises:
        WriteError: the folder cannot be written.
    """
    if candidate.training_rows is not None:
        with atomic_file(folder / TRAINING_ROWS) as temporary:
            candidate.training_rows.write_parquet(temporary)


def trained_on(store: Store, run_id: str, given: Path | None = None) -> TrainedOn:
    """What a finished run's candidate was trained on.

    Args:
        store: of the run.
        run_id: its id.
        given: a file to read in place of the run's own; it has to be there.

    Raises:
        SourceError: `given` cannot be read, or does not hold training rows.
        RunError: the run's own file is damaged.
    """
    # seconds to import, and opening a run, which imports this module, seldom needs it
    from analytics.leaks.training_rows import read_training_rows  # noqa: PLC0415

    if given is not None:
        return TrainedOn(given, read_training_rows(given), own=False)
    file = store.runs / run_id / TRAINING_ROWS
    if not file.exists():
        return TrainedOn(file, None, own=True)
    try:
        return TrainedOn(file, read_training_rows(file), own=True)
    except SourceError as error:
        raise RunError(
            str(error), remedy="replay the candidate again, or give --trained-on FILE"
        ) from None


def all_training_rows(*candidates: TrainedOn) -> "pl.DataFrame | None":
    """The rows that any of several candidates was trained on; None where none has known rows."""
    import polars as pl  # noqa: PLC0415

    known = [trained.rows for trained in candidates if trained.rows is not None]
    return pl.concat(known).unique(maintain_order=True) if known else None
