"""What the pages of miners show of a store, computed once for a version of it."""

from dataclasses import dataclass

import streamlit as st

from analytics.comparison.intervals import Interval
from analytics.lives.kept_order import KeptOrder, restore_order
from analytics.lives.order import Life
from analytics.lives.order_file import order_of
from analytics.miners.answers import Miner
from analytics.standings.history import HistoryPoint, history
from analytics.standings.leaderboard import Standing, leaderboard
from analytics.standings.lost_challenges import (
    LossFilter,
    LossPage,
    SliceLosses,
    losses_by_slice,
    lost_as_csv,
    lost_challenges,
)
from analytics.standings.mcc_intervals import MccInterval, mcc_intervals
from dashboards.parts.page_connection import page_reading
from dashboards.parts.store_access import Version

MOST_ANSWERS = 300_000
"""Answers of a life up to which a page waits for the intervals of all its miners."""


@dataclass(frozen=True)
class Fared:
    """How one uid fared, and the interval and the losses of the miner that was chosen."""

    points: list[HistoryPoint]
    interval: MccInterval | None
    slices: list[SliceLosses]


def lives(version: Version) -> list[Life]:
    """The validators' lives of a store."""
    return _order(version).lives


@st.cache_data(max_entries=8, show_spinner="Counting answers …")
def standings(version: Version, life: int | None) -> list[Standing]:
    """Every miner, by uid and hotkey; `life` None: of all validators."""
    order = _order(version)
    with page_reading(version.store) as connection:
        restore_order(connection, order)
        return leaderboard(connection, life)


@st.cache_data(max_entries=16, show_spinner="Reading the miner's answers …")
def fared(version: Version, miner: Miner, life: int | None) -> Fared:
    """How a miner fared."""
    order = _order(version)
    with page_reading(version.store) as connection:
        restore_order(connection, order, miner.uid)
        return Fared(
            history(connection, miner.uid),
            mcc_intervals(connection, miner, life).get(miner),
            losses_by_slice(connection, miner, life),
        )


@st.cache_data(max_entries=8, show_spinner="Drawing intervals …")
def intervals_of_life(version: Version, life: int) -> dict[Miner, Interval | None] | None:
    """The intervals of MCCs in one validator's log; None in a store too large to wait for them."""
    if sum(one.asked for one in standings(version, life)) > MOST_ANSWERS:
        return None
    order = _order(version)
    with page_reading(version.store) as connection:
        restore_order(connection, order)
        found = mcc_intervals(connection, life=life)
    return {miner: one.interval for miner, one in found.items()}


@st.cache_data(max_entries=32, show_spinner="Looking for lost challenges …")
def lost(
    version: Version, miner: Miner, run_id: str | None, chosen: LossFilter, page: tuple[int, int]
) -> LossPage:
    """A page of what a miner lost."""
    order = _order(version)
    with page_reading(version.store) as connection:
        restore_order(connection, order, miner.uid)
        return lost_challenges(connection, miner, run_id, chosen, page)


def lost_file(version: Version, miner: Miner, run_id: str | None, chosen: LossFilter) -> bytes:
    """All that a miner lost as CSV; not kept, for it may be large."""
    order = _order(version)
    with page_reading(version.store) as connection:
        restore_order(connection, order, miner.uid)
        return lost_as_csv(connection, miner, run_id, chosen, order.lives)


# a resource, not data: a million rows are not to be copied at every click
@st.cache_resource(max_entries=2, show_spinner="Putting challenges in order …")
def _order(version: Version) -> KeptOrder:
    with page_reading(version.store) as connection:
        return order_of(version.store, connection)
