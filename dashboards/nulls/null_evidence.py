"""What the page NULL rates shows, counted once for a version of the store."""

from dataclasses import dataclass

import streamlit as st

from analytics.leaks.null_kinds import NullKinds, null_kinds
from analytics.leaks.null_leak import LeakChoice, NullLeak, null_leaks
from analytics.leaks.null_rates import LABEL_ITSELF, NullRate, rates_of
from dashboards.parts.page_connection import page_reading
from dashboards.parts.store_access import Version
from data.errors import QueryError
from data.sources.shards import open_shards

# Bits of equal tables differ in their last digits.
_DIGITS = 9


@dataclass(frozen=True)
class NullEvidence:
    """How often fields are NULL, by kind, and how that drifts."""

    kinds: list[NullKinds]
    rates: list[NullRate]

    @property
    def eras(self) -> list[str]:
        """Eras in their order."""
        return list(dict.fromkeys(one.era for one in self.kinds if one.era is not None))

    @property
    def sources(self) -> list[str]:
        """Sources of challenges."""
        return sorted({one.source for one in self.kinds if one.source is not None})


def _rank(leak: NullLeak) -> tuple[float, bool, str]:
    return -round(leak.bits, _DIGITS), leak.field != LABEL_ITSELF, leak.field


@st.cache_data(max_entries=4, show_spinner="Counting NULLs …")
def null_evidence(version: Version) -> NullEvidence:
    """NULLs of a store's challenges and source rows.

    Args:
        version: of warehouse and sources.

    Raises:
        QueryError: the store holds no challenge, and no source row.
        SourceError: a shard cannot be read.
    """
    shards = open_shards(version.store.sources_place, required=False)
    with page_reading(version.store) as connection:
        kinds = null_kinds(connection)
    return NullEvidence(kinds, rates_of(kinds, shards))


@st.cache_data(max_entries=32, show_spinner="Drawing intervals …")
def strongest_leaks(version: Version, era: str | None, source: str | None) -> list[NullLeak]:
    """The leak of each field by NULLs of any kind, most bits first; empty without a challenge.

    Of equal ones the description comes first, whose NULL is the label itself.

    Args:
        version: of the store.
        era: of the challenges; None: all.
        source: likewise.
    """
    with page_reading(version.store) as connection:
        try:
            leaks = null_leaks(connection, only=LeakChoice(era, source))
        except QueryError:
            return []
    return sorted(leaks, key=_rank)
