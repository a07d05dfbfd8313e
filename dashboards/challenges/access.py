"""What the page Challenges shows of a store, kept until the store changes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb
import streamlit as st

from analytics.listing.challenge_filter import ChallengeFilter, Sorting
from analytics.listing.challenge_list import (
    ChallengeList,
    ListedChallenge,
    Neighbours,
    challenge_page,
    challenges_as_csv,
    neighbours,
)
from analytics.listing.list_summary import ListSummary, list_summary
from analytics.listing.slices import Slices, slices
from analytics.miners.kept_estimates import kept_difficulties
from analytics.queries.challenge_answers import (
    CandidateAnswer,
    MinerAnswer,
    VariantAnswer,
    ViewGate,
    candidate_answer,
    challenge_answers,
    challenge_record,
    variant_answers,
    view_gates,
)
from analytics.queries.replay_runs import run_description
from dashboards.parts.page_connection import page_reading, page_turn
from dashboards.parts.store_access import Version
from data.records.stored_challenge import stored_challenge
from data.records.stored_challenges import StoredChallenges
from data.sources.shards import open_shards
from replay.plans.plan import Planned, plan
from replay.settings import ReplaySettings, recorded_settings


@dataclass(frozen=True)
class Listing:
    """Which list a page shows: of a version of a store, beside a replay or none.

    `estimates` is the basis of the difficulties beside it; None: without any.
    """

    version: Version
    run_id: str | None
    estimates: str | None
    chosen: ChallengeFilter
    sorting: Sorting


@dataclass(frozen=True)
class ShownImages:
    """What a replay's candidate was shown of a challenge; `images` is empty if it was shown none.

    `settings` and `sources`, hashes by shard, are those that the run recorded.
    """

    images: list[VariantAnswer]
    settings: ReplaySettings
    sources: dict[str, str]


@dataclass(frozen=True)
class Opened:
    """All that a store holds of one challenge.

    `record` is its row of `media`, `planned` how it can be rebuilt. `candidate`, `shown` and
    `gates` are of a replay: None or empty without one.
    """

    record: dict[str, Any]
    planned: Planned
    answers: list[MinerAnswer]
    candidate: CandidateAnswer | None
    shown: ShownImages | None
    gates: list[ViewGate]


# A resource, not data: it lies in DuckDB's memory. It is not closed when another takes its place,
# for a session may be reading it: it goes with the last of them.
@st.cache_resource(max_entries=2, show_spinner="Listing the challenges …")
def _challenge_list(version: Version, run_id: str | None, estimates: str | None) -> ChallengeList:
    with page_turn():
        if estimates is None:
            return ChallengeList(version.store, run_id)
        return ChallengeList(version.store, run_id, kept_difficulties(version.store, estimates))


@contextmanager
def _matching(listing: Listing) -> Iterator[duckdb.DuckDBPyConnection]:
    challenges = _challenge_list(listing.version, listing.run_id, listing.estimates)
    with challenges.matching(listing.chosen, listing.sorting) as connection:
        yield connection


@st.cache_data(max_entries=4, show_spinner=False)
def listed_slices(version: Version, run_id: str | None, estimates: str | None) -> Slices:
    """The values that challenges can be filtered by."""
    with _challenge_list(version, run_id, estimates).cursor() as connection:
        return slices(connection)


@st.cache_data(max_entries=64, show_spinner="Counting …")
def summary(listing: Listing) -> ListSummary:
    """What is true of all matching challenges."""
    with _matching(listing) as connection:
        return list_summary(connection, with_candidate=listing.run_id is not None)


@st.cache_data(max_entries=64, show_spinner=False)
def page(listing: Listing, offset: int, limit: int) -> list[ListedChallenge]:
    """Some of the matching challenges."""
    with _matching(listing) as connection:
        return challenge_page(connection, offset, limit)


@st.cache_data(max_entries=64, show_spinner=False)
def beside(listing: Listing, challenge_id: str) -> Neighbours | None:
    """Where a challenge stands among the matching ones."""
    with _matching(listing) as connection:
        return neighbours(connection, challenge_id)


def as_csv(listing: Listing, limit: int) -> bytes:
    """The first matching challenges as a file; not kept."""
    with _matching(listing) as connection:
        return challenges_as_csv(connection, limit)


@st.cache_data(max_entries=64, show_spinner=False)
def opened(version: Version, challenge_id: str, run_id: str | None) -> Opened:
    """All that a store holds of one challenge, and of a replay's answers to it.

    Args:
        version: of warehouse and sources.
        challenge_id: which.
        run_id: a finished replay.

    Raises:
        QueryError: the store holds no such challenge.
    """
    with page_reading(version.store) as connection:
        record = challenge_record(connection, challenge_id)
        answers = challenge_answers(connection, challenge_id)
        candidate, shown, gates = None, None, []
        if run_id is not None:
            candidate = candidate_answer(connection, run_id, challenge_id)
            gates = view_gates(connection, run_id, challenge_id)
            described = run_description(connection, run_id)
            shown = ShownImages(
                variant_answers(connection, run_id, challenge_id),
                recorded_settings(described),
                dict(described.get("sources") or {}),
            )
    shards = open_shards(version.store.sources_place, required=False)
    (planned,) = plan(StoredChallenges.of([stored_challenge(record)]), shards)
    return Opened(record, planned, answers, candidate, shown, gates)
