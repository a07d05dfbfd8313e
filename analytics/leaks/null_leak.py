"""The label leak: how well NULL-ness of a metadata field predicts the label.

A sampler that sends label 1 only with a description makes NULL-ness of the description the label
(DOMAIN.md §7). Here the leak of every field is measured, by era and source.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import duckdb
import numpy as np
from scipy.special import entr, rel_entr

from analytics.comparison.intervals import Interval
from analytics.scoring.metrics import Floats, mcc_of_tables
from analytics.warehouse.statements import statements
from data.errors import QueryError
from data.records.types import NullKind

ANY_KIND = "any"
_HAS_VALUE = ""
_LABELS = 2


@dataclass(frozen=True)
class LeakSettings:
    """Number of bootstrap draws over source images, level of the percentile interval, and the seed.

    Fewer than `few_images` source images get no interval.
    """

    draws: int = 1000
    level: float = 0.95
    seed: int = 0
    few_images: int = 10


@dataclass(frozen=True)
class NullLeak:
    """How well NULL-ness of a field predicts the label, on n challenges of `images` source images.

    `era` and `source` are None for all eras and sources; `source` is `not logged` where an era
    later than E5 lacks it. `kind` is a NULL kind, or `any`; `nulls` of the n are of that kind.
    `left_out` counts challenges whose value is unreadable. `mcc` (-1..1) is of the rule "a value
    means roadwork": None where all have one label, 0 where NULL-ness never changes. `bits` is the
    mutual information with the label (the plug-in estimate), at most `label_bits`, the label's
    entropy. Intervals are over resampled source images.
    """

    field: str
    era: str | None
    source: str | None
    kind: str
    n: int
    left_out: int
    images: int
    nulls: int
    mcc: float | None
    mcc_interval: Interval | None
    bits: float
    bits_interval: Interval | None
    label_bits: float


@dataclass(frozen=True)
class LeakChoice:
    """Challenges of one era and source, None for all, and NULLs of any kind."""

    era: str | None = None
    source: str | None = None


def null_leaks(
    connection: duckdb.DuckDBPyConnection,
    settings: LeakSettings = LeakSettings(),
    only: LeakChoice | None = None,
) -> list[NullLeak]:
    """The leak of every field for every NULL kind: over all challenges, by era, by source, by both.

    Args:
        connection: of a warehouse.
        settings: of the intervals, which are the same whatever else is asked for.
        only: for fewer, in a fraction of the time.

    Raises:
        QueryError: the store holds no challenge, or none of that choice.
    """
    chosen = only or LeakChoice()
    connection.execute(statements("analytics/leaks/image_nulls"))
    rows = connection.execute(
        statements("analytics/leaks/null_patterns"),
        {"every": only is None, "era": chosen.era, "source": chosen.source},
    ).fetchall()
    if not rows:
        raise QueryError(
            "leaks",
            found="no challenge in this store",
            expected="an ingested log",
            remedy="run `streetreplay ingest LOG`",
        )
    groups: dict[tuple[str, str | None, str | None], list[_Pattern]] = {}
    for field, era, source, cells, images in rows:
        groups.setdefault((field, era, source), []).append(_Pattern(cells, images))
    return [
        _leak(*group, kind, patterns, settings)
        for group, patterns in groups.items()
        for kind in (_kinds(patterns) if only is None else [ANY_KIND])
    ]


def mutual_information(tables: Floats) -> Floats:
    """Mutual information in bits, the plug-in estimate, of tables (..., labels, classes).

    0 or more; 0 for a table without counts. It is the relative entropy of the joint shares to the
    product of their margins (Cover and Thomas 2006, section 2.3).
    """
    joint = _shares(tables)
    independent = joint.sum(axis=-1, keepdims=True) * joint.sum(axis=-2, keepdims=True)
    bits: Floats = rel_entr(joint, independent).sum(axis=(-2, -1)) / math.log(2)
    return np.maximum(0.0, bits)


def _label_entropy(table: Floats) -> float:
    """Entropy in bits of the labels of a table (labels, classes)."""
    return float(entr(_shares(table).sum(axis=-1)).sum() / math.log(2))


def _shares(tables: Floats) -> Floats:
    """The cells as shares of each table, which sum to 1; 0 in a table without counts."""
    totals = tables.sum(axis=(-2, -1), keepdims=True)
    shares: Floats = np.divide(tables, totals, out=np.zeros_like(tables), where=totals > 0)
    return shares


@dataclass(frozen=True)
class _Pattern:
    """A number of `images` whose challenges all have these labels and NULL kinds, in `cells`."""

    cells: list[dict[str, Any]]
    images: int

    def table(self, kind: str) -> Floats:
        """Readable challenges of one image, (2 labels, 2: NULL of that kind, not)."""
        counts = np.zeros((_LABELS, 2))
        for cell in self.cells:
            if cell["kind"] != NullKind.UNREADABLE:
                null = cell["kind"] == kind or (kind == ANY_KIND and cell["kind"] != _HAS_VALUE)
                counts[cell["label"], int(not null)] += cell["challenges"]
        return counts


def _kinds(patterns: Sequence[_Pattern]) -> list[str]:
    kinds = {cell["kind"] for pattern in patterns for cell in pattern.cells}
    return [ANY_KIND, *sorted(kinds - {_HAS_VALUE, NullKind.UNREADABLE})]


def _leak(
    field: str,
    era: str | None,
    source: str | None,
    kind: str,
    patterns: Sequence[_Pattern],
    settings: LeakSettings,
) -> NullLeak:
    # draws of its own, so that they do not hang on what else is asked for
    name = "/".join((field, era or "", source or "", kind))
    rng = np.random.default_rng([settings.seed, crc32(name.encode())])
    tables = np.stack([pattern.table(kind) for pattern in patterns])
    images = np.array([pattern.images for pattern in patterns])
    # an image whose challenges are all unreadable is not used
    used = tables.sum(axis=(1, 2)) > 0
    total = (tables * images[:, None, None]).sum(axis=0)
    mcc_interval, bits_interval = _intervals(tables[used], images[used], settings, rng)
    one_label = bool((total.sum(axis=1) == 0).any())
    n = int(total.sum())
    challenge_count = sum(
        cell["challenges"] * pattern.images for pattern in patterns for cell in pattern.cells
    )
    return NullLeak(
        field=field,
        era=era,
        source=source,
        kind=kind,
        n=n,
        left_out=challenge_count - n,
        images=int(images[used].sum()),
        nulls=int(total[:, 0].sum()),
        mcc=None if one_label else float(mcc_of_tables(total)),
        mcc_interval=None if one_label else mcc_interval,
        bits=float(mutual_information(total)),
        bits_interval=bits_interval,
        label_bits=_label_entropy(total),
    )


def _intervals(
    tables: Floats, images: Floats, settings: LeakSettings, rng: np.random.Generator
) -> tuple[Interval | None, Interval | None]:
    """Bootstrap intervals of MCC and bits; to resample images is to resample patterns by images."""
    count = int(images.sum())
    if count < settings.few_images:
        return None, None
    draws = rng.multinomial(count, images / count, size=settings.draws)
    resampled = np.tensordot(draws.astype(np.float64), tables, axes=1)
    tail = (1 - settings.level) / 2
    ends = [
        np.quantile(measure, [tail, 1 - tail])
        for measure in (mcc_of_tables(resampled), mutual_information(resampled))
    ]
    (low_mcc, high_mcc), (low_bits, high_bits) = ends
    return (float(low_mcc), float(high_mcc)), (float(low_bits), float(high_bits))
