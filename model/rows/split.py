"""The split of source rows into training, validation and holdout: no street is in two of them.

Rows of one street on both sides would flatter the validation. The holdout is seen by no training,
its validation included, and kept for a later decision about promotion.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from analytics.leaks.training_overlap import OverlapSettings
from data.errors import RunError
from model.rows.settings import SplitSettings
from model.rows.source_rows import row_columns
from model.rows.streets import Ints, name_order, overlap_of_rows, streets_of_rows
from model.rows.training_row import TrainingRow

_Counts = npt.NDArray[np.float64]

PARTS = ("training", "validation", "holdout")
_FREE = -1


@dataclass(frozen=True)
class Split:
    """Rising indices of the rows of each part; no two parts share a row, a video or a location.

    `street_of_row`, (rows,), numbers each row's street from 0.
    """

    training: Ints
    validation: Ints
    holdout: Ints
    street_of_row: Ints

    @property
    def streets(self) -> int:
        """How many there are."""
        return len(np.unique(self.street_of_row))


def split_rows(
    rows: Sequence[TrainingRow],
    settings: SplitSettings = SplitSettings(),
    overlap: OverlapSettings = OverlapSettings(),
    earlier: pl.DataFrame | None = None,
) -> Split:
    """Draw the validation and the holdout: whole streets, each label in the part's share.

    Streets come in an order drawn by (seed, the street's first row) alone, and each that fits goes
    to the holdout, else to the validation. So the order of `rows` and the machine change nothing.
    Each part holds its share of each label's rows as nearly as whole streets let it: no street of
    the training would bring it nearer. A part that would lack a label takes a street that has it,
    at the cost of its share.

    A street of an earlier split stays in its part: in the training if any of it was trained on.

    Args:
        rows: all of them, in any order.
        settings: shares and seed.
        overlap: within how many metres locations count as one.
        earlier: rows of an earlier split, with their `part`, as `split_table` has them.

    Raises:
        RunError: too few streets to split, or a part without one of the labels.
    """
    street_of_row = streets_of_rows(rows, overlap)
    labels = np.array([row.label for row in rows], np.int64)
    counts = np.zeros((street_of_row.max(initial=-1) + 1, 2))
    np.add.at(counts, (street_of_row, labels), 1)
    order = _drawn_order(rows, street_of_row, settings.seed)
    part_of_street = np.full(len(counts), _FREE)
    if earlier is not None:
        for part in (2, 1, 0):  # the training last, as it wins
            named = earlier.filter(part=PARTS[part])
            overlaps = overlap_of_rows(rows, named, overlap)["overlaps"].to_numpy()
            part_of_street[street_of_row[overlaps]] = part
    # the holdout first, so that another share to validate leaves it as it is
    for part, share in ((2, settings.holdout), (1, settings.validation)):
        left = [street for street in order if part_of_street[street] == _FREE]
        held = counts[part_of_street == part].sum(axis=0)
        part_of_street[_chosen_streets(counts, left, share, held)] = part
    part_of_street[part_of_street == _FREE] = 0
    part_of_row = part_of_street[street_of_row]
    training, validation, holdout = (np.flatnonzero(part_of_row == part) for part in range(3))
    split = Split(training, validation, holdout, street_of_row)
    _check_labels(labels, split, settings)
    return split


def split_table(rows: Sequence[TrainingRow], split: Split) -> pl.DataFrame:
    """The split as a run keeps it, in order of shard and row.

    Returns:
        Columns `parquet`, `row`, `part` (training, validation or holdout), `street`, `label`,
        `vid_id`, `gps_lat` and `gps_lon`, the last three null where not known.
    """
    part_of_row = np.empty(len(rows), dtype=object)
    for part in PARTS:
        part_of_row[getattr(split, part)] = part
    order = name_order(rows)
    named = row_columns([rows[index] for index in order])
    return named.select(
        "parquet",
        "row",
        pl.Series("part", part_of_row[order].tolist(), pl.String),
        pl.Series("street", split.street_of_row[order]),
        pl.Series("label", [rows[index].label for index in order], pl.Int64),
        "vid_id",
        "gps_lat",
        "gps_lon",
    )


def _drawn_order(rows: Sequence[TrainingRow], street_of_row: Ints, seed: int) -> list[int]:
    """The streets in an order that other streets, files or libraries do not change."""
    first_rows: dict[int, TrainingRow] = {}
    for index in name_order(rows):
        first_rows.setdefault(int(street_of_row[index]), rows[index])

    def drawn(street: int) -> str:
        row = first_rows[street]
        return hashlib.sha256(f"{seed} {row.parquet} {row.row}".encode()).hexdigest()

    return sorted(first_rows, key=drawn)


def _chosen_streets(counts: _Counts, order: list[int], share: float, held: _Counts) -> list[int]:
    """Streets that fill a part up to about `share` of each label's rows.

    Args:
        counts: (streets, 2), rows of each label in all streets.
        order: the streets that are free, in the order in which they are tried.
        share: 0..1.
        held: (2,), rows of each label that the part holds already.
    """
    if share == 0:
        return []
    wanted = np.maximum(np.round(share * counts.sum(axis=0)), 1)
    chosen = []
    for street in order:
        if (held + counts[street] <= wanted).all():
            held = held + counts[street]
            chosen.append(street)
    left = [street for street in order if street not in set(chosen)]
    while (better := _better_street(counts, left, held, wanted)) is not None:
        held = held + counts[better]
        chosen.append(better)
        left.remove(better)
    return chosen


def _better_street(counts: _Counts, left: list[int], held: _Counts, wanted: _Counts) -> int | None:
    """The street by which the part comes nearest to what is wanted, None if by no street.

    Where the part lacks a label, a street with that label comes next even if the part is off by
    more with it.
    """
    missing = (held == 0) & (counts.sum(axis=0) > 0)
    if missing.any():
        left = [street for street in left if counts[street][missing].any()]
    if not left:
        return None
    off = np.abs(held + counts[left] - wanted).sum(axis=1)
    nearest = int(off.argmin())
    if not missing.any() and off[nearest] >= np.abs(held - wanted).sum():
        return None
    return left[nearest]


def _check_labels(labels: Ints, split: Split, settings: SplitSettings) -> None:
    purposes = {"train": split.training, "validate": split.validation}
    if settings.holdout:
        purposes["hold out"] = split.holdout
    for purpose, indices in purposes.items():
        counts = np.bincount(labels[indices], minlength=2)
        if not counts.all():
            raise RunError(
                f"rows to {purpose}{'' if purpose == 'hold out' else ' on'}",
                found=f"{counts[1]} with roadwork and {counts[0]} without, of {len(labels)} rows "
                f"in {split.streets} streets (rows that share a video or a place)",
                expected="some of both",
                remedy="add shards, or change --validation or --holdout",
            )
