"""What a run needs to know of its candidate; of one that another machine loaded, all of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from replay.candidates.predictor import Predictor, checkpoint_sha256, precision, training_rows

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class CandidateDescription:
    """A candidate without its weights, see `Predictor` for the fields of the same names.

    `training_rows` are the rows that it was trained on, as `read_training_rows` gives them; None
    where it names none, or where they were left out.
    """

    name: str
    fingerprint: str
    wants_metadata: bool
    precision: str = "float32"
    checkpoint_sha256: str | None = None
    training_rows: "pl.DataFrame | None" = None


def describe(predictor: Predictor, *, with_rows: bool = True) -> CandidateDescription:
    """Describe a loaded candidate, perhaps without its training rows.

    Raises:
        RunError: an optional attribute of it is none of its kind.
        SourceError: its training rows cannot be read.
    """
    return CandidateDescription(
        name=predictor.name,
        fingerprint=predictor.fingerprint,
        wants_metadata=predictor.wants_metadata,
        precision=precision(predictor),
        checkpoint_sha256=checkpoint_sha256(predictor),
        training_rows=_training_rows(predictor) if with_rows else None,
    )


def _training_rows(predictor: Predictor) -> "pl.DataFrame | None":
    file = training_rows(predictor)
    if file is None:
        return None
    # seconds to import, and most candidates name no rows
    from analytics.leaks.training_rows import read_training_rows  # noqa: PLC0415

    return read_training_rows(file)
