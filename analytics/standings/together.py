"""What rests on all miners' answers together, kept in the store: it takes minutes for millions.

It names its basis, which is that of the estimates, made of the same report. Where that is another
by now (logs were added, the code changed) it is out of date.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from analytics.comparison.intervals import Interval
from analytics.lives.kept_order import kept_order, restore_order
from analytics.miners.answers import Miner
from analytics.miners.clones import Clones
from analytics.miners.habits import Habits
from analytics.miners.item_response import Ability
from analytics.miners.kept_estimates import estimates_basis
from analytics.miners.memorised_images import Memorisation
from analytics.miners.report import MinerReport, miner_report
from analytics.standings.mcc_intervals import mcc_intervals
from data.kept_values import keep, read_kept
from data.store import Store

_FILE = "last-report.json"


@dataclass(frozen=True)
class MinerMcc:
    """One miner's MCC interval; None for too few source images."""

    miner: Miner
    interval: Interval | None


@dataclass(frozen=True)
class MinersTogether:
    """The report on all miners of all validators, less what is of single challenges.

    `made` is in UTC, `basis` what it rests on, by `estimates_basis`. `no_abilities` says why there
    are none.
    """

    made: datetime
    basis: str
    mccs: list[MinerMcc]
    abilities: list[Ability]
    clones: Clones
    memorisation: Memorisation
    habits: list[Habits]
    no_abilities: str | None


def miners_together(
    connection: duckdb.DuckDBPyConnection, report: MinerReport | None = None
) -> MinersTogether:
    """Look at all miners together.

    Args:
        connection: to a warehouse.
        report: of all its miners, where it is there already.

    Raises:
        QueryError: the store holds no answer.
    """
    if report is None:
        report = miner_report(connection)
    restore_order(connection, kept_order(connection))
    intervals = mcc_intervals(connection)
    return MinersTogether(
        made=datetime.now(UTC).replace(microsecond=0),
        basis=estimates_basis(connection),
        mccs=[MinerMcc(miner, interval.interval) for miner, interval in intervals.items()],
        abilities=[] if report.model is None else report.model.abilities,
        clones=report.clones,
        memorisation=report.memorisation,
        habits=report.habits,
        no_abilities=report.no_model,
    )


def keep_together(store: Store, together: MinersTogether) -> None:
    """Keep it in place of an older one; not in a store that may only be read."""
    keep(store.miners / _FILE, together)


def kept_together(store: Store) -> MinersTogether | None:
    """What was kept last; None without one, or where its file is damaged."""
    return read_kept(store.miners / _FILE, MinersTogether)
