"""The rows of a fine-tuning: those that the base has not seen, in folds."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from model.fine_tuning.settings import FineTuningSettings
from model.rows.folds import Fold, fine_tuning_folds, rows_not_in
from model.rows.source_rows import ListedRows, list_rows, row_columns
from model.rows.streets import name_order, streets_of_rows
from model.training.base_checkpoint import Base, read_base_split
from model.training.session import SessionRows

_NAMES = ("parquet", "row", "vid_id", "gps_lat", "gps_lon")
_HOLDOUT = "holdout"
_HELD_OUT = "in the holdout of the base training, or on a street of it"


@dataclass(frozen=True)
class FoldRows:
    """Rows that the base has not seen, with the counts of others, and their folds.

    `holdout` names the rows that the base's training held out for a later decision.
    """

    listed: ListedRows
    folds: Sequence[Fold]
    holdout: pl.DataFrame

    @property
    def digest(self) -> str:
        """A hash of which row is in which fold."""
        names = self.table().select("parquet", "row", "fold").iter_rows()
        return hashlib.sha256(repr(list(names)).encode()).hexdigest()

    def of_fold(self, fold: Fold) -> SessionRows:
        """The rows that a fold's model is trained and validated on."""
        training, validation = (
            [self.listed.rows[index] for index in side] for side in (fold.training, fold.validation)
        )
        return SessionRows(training, validation)

    def table(self) -> pl.DataFrame:
        """Rows as the run keeps them, by shard and row, then the holdout.

        Returns:
            Columns `parquet`, `row`, `vid_id`, `gps_lat`, `gps_lon`, `part` (fold or holdout), and
            of the folds' rows `fold`, from 1, `street` and `label`.
        """
        rows, streets = self.listed.rows, streets_of_rows(self.listed.rows)
        fold_of_row = np.empty(len(rows), np.int64)
        for number, fold in enumerate(self.folds, start=1):
            fold_of_row[fold.validation] = number
        order = name_order(rows)
        used = row_columns([rows[index] for index in order]).with_columns(
            part=pl.lit("fold"),
            fold=pl.Series(fold_of_row[order]),
            street=pl.Series(streets[order]),
            label=pl.Series([rows[index].label for index in order], dtype=pl.Int64),
        )
        held = self.holdout.select(_NAMES).with_columns(part=pl.lit(_HOLDOUT))
        return pl.concat([used, held], how="diagonal")


def base_holdout(
    store: Store, base: Base, note: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """The rows that the base's training held out, as its run in the store names them.

    Where the run is not there, there are none, and a line says so.

    Args:
        store: of the base's training.
        base: its card names the run.
        note: takes a line for a person.
    """
    split = read_base_split(store, base)
    if split is None:
        note(
            f"the run of the base ({base.run_id or 'unnamed'}) is not in the store: rows that it "
            "held out are not known, and are fine-tuned on if they are among the sources"
        )
        return row_columns([])
    return split.filter(part=_HOLDOUT).select(_NAMES)


def fold_rows(
    shards: Shards, base: Base, holdout: pl.DataFrame, settings: FineTuningSettings
) -> FoldRows:
    """The rows of shards that overlap neither with the base's rows nor with its holdout, in folds.

    Raises:
        SourceError: no sources, or not of the public data set's form.
        RunError: no such rows, or too few for the folds.
    """
    listed = list_rows(shards)
    unseen = rows_not_in(listed.rows, base.rows)
    used = unseen if holdout.is_empty() else rows_not_in(unseen.rows, holdout)
    if not used.rows:
        raise RunError(
            "rows to fine-tune on",
            found=f"none: all {len(listed.rows)} overlap with those of the base training",
            expected="some that it has not seen",
            remedy="name other shards with --sources",
        )
    left_out = Counter(listed.left_out) + Counter(unseen.left_out)
    if len(used.rows) < len(unseen.rows):
        left_out[_HELD_OUT] = len(unseen.rows) - len(used.rows)
    folds = fine_tuning_folds(used.rows, settings.folds, settings.seed)
    return FoldRows(ListedRows(used.rows, dict(left_out)), folds, holdout)
