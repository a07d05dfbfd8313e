"""NULL rates of metadata fields as printed tables."""

from collections.abc import Sequence

from analytics.comparison.intervals import Interval
from analytics.leaks.null_rates import LABEL_ITSELF, SOURCES, NullRate
from data.terminal import note, print_table

_COLUMNS = (
    "field", "era", "n", "unreadable", "NULL", "rate", "95%",
    "against", "drift", "drift 95%", "p (Holm)",
)  # fmt: skip


def print_null_rates(rates: Sequence[NullRate]) -> None:
    """Print a table for each source of challenges, and one for the source rows."""
    groups: dict[tuple[str, str | None], list[NullRate]] = {}
    for rate in rates:
        groups.setdefault((rate.rows_of, rate.source), []).append(rate)
    for (rows_of, source), of_group in groups.items():
        what = "source rows" if rows_of == SOURCES else f"images of {source or 'all'} challenges"
        print_table(f"{what}: NULL by field", _COLUMNS, [_row(rate) for rate in of_group])
    note(f"{LABEL_ITSELF}: its NULL is the label itself, so its rate is that of label 0")


def _row(rate: NullRate) -> tuple[object, ...]:
    drift = rate.drift
    known = (rate.field, rate.era, rate.n, rate.unreadable, rate.nulls, rate.rate)
    if drift is None:
        return (*known, _ends(rate.interval), None, None, None, None)
    return (
        *known,
        _ends(rate.interval),
        drift.against,
        drift.difference,
        _ends(drift.interval),
        drift.p_adjusted,
    )


def _ends(interval: Interval) -> str:
    return f"{interval[0]:.3f} to {interval[1]:.3f}"
