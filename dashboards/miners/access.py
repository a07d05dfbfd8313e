"""What the pages of miners show of a store, computed once for a version of it."""

from dataclasses import dataclass

import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.lives.kept_order import KeptOrder, kept_order, restore_order
from analytics.lives.order import Life
from analytics.miners.answers import Miner
from analytics.miners.clones import Clones
from analytics.miners.habits import Habits
from analytics.miners.item_response import Ability
from analytics.miners.memorised_images import Memorisation
from analytics.miners.report import miner_report
from analytics.standings.history import HistoryPoint, history
from analytics.standings.leaderboard import Standing, leaderboard
from analytics.standings.lost_challenges import (
    LossFilter,
    LossPage,
    SliceLosses,
    losses_by_slice,
    lost_challenges,
)
from analytics.standings.mcc_intervals import MccInterval, mcc_intervals
from analytics.warehouse.connection import reading
from dashboards.parts.store_access import Version

MOST_ANSWERS = 300_000
"""Answers of a store up to which all of them are looked at together while a page waits."""


@dataclass(frozen=True)
class Fared:
    """How one uid fared, and the interval and the losses of the miner that was chosen."""

    points: list[HistoryPoint]
    interval: MccInterval | None
    slices: list[SliceLosses]


@dataclass(frozen=True)
class AllTogether:
    """What rests on all miners' answers together; `no_abilities` says why there are none."""

    abilities: dict[Miner, Ability]
    clones: Clones
    memorisation: Memorisation
    habits: dict[Miner, Habits]
    intervals: dict[Miner, Interval | None]
    no_abilities: str | None


def lives(version: Version) -> list[Life]:
    """The validators' lives of a store."""
    return _order(version).lives


@st.cache_data(max_entries=8, show_spinner="Counting answers …")
def standings(version: Version, life: int | None) -> list[Standing]:
    """Every miner, by uid and hotkey; `life` None: of all validators."""
    with reading(version.store) as connection:
        restore_order(connection, _order(version))
        return leaderboard(connection, life)


@st.cache_data(max_entries=16, show_spinner="Reading the miner's answers …")
def fared(version: Version, miner: Miner, life: int | None) -> Fared:
    """How a miner fared."""
    with reading(version.store) as connection:
        restore_order(connection, _order(version))
        return Fared(
            history(connection, miner.uid),
            mcc_intervals(connection, miner, life).get(miner),
            losses_by_slice(connection, miner, life),
        )


@st.cache_data(max_entries=32, show_spinner="Looking for lost challenges …")
def lost(
    version: Version, miner: Miner, run_id: str | None, chosen: LossFilter, page: tuple[int, int]
) -> LossPage:
    """A page of what a miner lost."""
    with reading(version.store) as connection:
        restore_order(connection, _order(version))
        return lost_challenges(connection, miner, run_id, chosen, page)


@st.cache_data(max_entries=2, show_spinner="Looking at all miners together …")
def all_together(version: Version) -> AllTogether:
    """Abilities, clones, memory and habits, as `streetreplay miners` reports them."""
    with reading(version.store) as connection:
        restore_order(connection, _order(version))
        intervals = mcc_intervals(connection)
        report = miner_report(connection)
    return AllTogether(
        abilities={one.miner: one for one in report.model.abilities} if report.model else {},
        clones=report.clones,
        memorisation=report.memorisation,
        habits={Miner(one.uid, one.hotkey): one for one in report.habits},
        intervals={miner: found.interval for miner, found in intervals.items()},
        no_abilities=report.no_model,
    )


# a resource, not data: a million rows are not to be copied at every click
@st.cache_resource(max_entries=2, show_spinner="Putting challenges in order …")
def _order(version: Version) -> KeptOrder:
    with reading(version.store) as connection:
        return kept_order(connection)
