"""Cached access of pages to a store: results are kept until the store changes.

A page passes the `Version` of what it asks about, so that a new ingest, replay or shard is seen at
the next click, and nothing is computed twice until then.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import streamlit as st

from analytics.queries import bounded_query
from analytics.queries import challenges_over_time as time_queries
from analytics.queries import overview as count_queries
from analytics.queries import relation_columns as column_queries
from analytics.queries import replay_runs as run_queries
from analytics.warehouse import false_signatures as signature_queries
from analytics.warehouse.contents import contents_digest
from dashboards.parts.page_connection import page_reading, query_turn
from data.errors import StreetReplayError
from data.sources.folder_listing import listing_sha256
from data.sources.source_path import SourcePath, source_folder
from data.store import Store
from data.text import printable

_SECONDS_OLD = 60


@dataclass(frozen=True)
class Version:
    """A store's folder and what changes when its files do.

    `warehouse` is its file's time in ns and size in bytes; `sources` a hash of what lies below
    their folder, None for a page that shows no image. `url` and `read_there` are the store's.
    """

    root: str
    warehouse: tuple[int, int]
    sources: str | None = None
    url: str | None = None
    read_there: tuple[str, ...] = ()

    @property
    def store(self) -> Store:
        """The store itself."""
        return Store(Path(self.root), self.url, self.read_there)


def warehouse_version(store: Store) -> Version:
    """The version of the warehouse alone."""
    status = store.warehouse.stat()
    version = (status.st_mtime_ns, status.st_size)
    return Version(str(store.root), version, url=store.url, read_there=store.read_there)


def images_version(store: Store) -> Version:
    """The version of warehouse and sources: shards and cached images, also in folders below."""
    return replace(warehouse_version(store), sources=images_digest(store.sources_place))


def images_digest(folder: SourcePath) -> str:
    """A hash of what lies below a folder of images; of one on a server, at most a minute old.

    Raises:
        SourceAccessError: the server does not answer, or refuses.
    """
    return listing_sha256(folder) if isinstance(folder, Path) else _listed_there(str(folder))


@st.cache_data(max_entries=4, ttl=_SECONDS_OLD, show_spinner=False)
def _listed_there(url: str) -> str:
    return listing_sha256(source_folder(url))


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Show an error inside as one line of text instead of a traceback."""
    try:
        yield
    except (StreetReplayError, duckdb.Error, OSError, MemoryError) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        st.error("This cannot be shown:", icon=":material/error:")
        # as code: an error may quote a log, and st.error would render that as markdown
        st.code(printable(message), language=None, wrap_lines=True)


@contextmanager
def _connection(version: Version) -> Iterator[duckdb.DuckDBPyConnection]:
    with page_reading(version.store) as connection:
        yield connection


@st.cache_data(max_entries=4, show_spinner=False)
def overview(version: Version) -> count_queries.Overview:
    """Totals and counts of a store."""
    with _connection(version) as connection:
        return count_queries.overview(connection)


@st.cache_data(max_entries=4, show_spinner=False)
def contents(version: Version) -> str:
    """A digest of the logs that were read into a store."""
    with _connection(version) as connection:
        return contents_digest(connection)


@st.cache_data(max_entries=4, show_spinner=False)
def challenges_over_time(
    version: Version, first: datetime, last: datetime
) -> time_queries.ChallengesOverTime:
    """Challenges by time, era and source."""
    with _connection(version) as connection:
        return time_queries.challenges_over_time(connection, first, last)


@st.cache_data(max_entries=8, show_spinner=False)
def fidelity_counts(version: Version, run_id: str) -> list[run_queries.FidelityCount]:
    """How the images of a replay's challenges were rebuilt."""
    with _connection(version) as connection:
        return run_queries.fidelity_counts(connection, run_id)


@st.cache_data(max_entries=4, show_spinner=False)
def relation_columns(version: Version) -> list[column_queries.Relation]:
    """The store's relations with their columns."""
    with _connection(version) as connection:
        return column_queries.relation_columns(connection)


@st.cache_data(max_entries=8, show_spinner="Asking the store …")
def first_rows(
    version: Version, sql: str, bounds: bounded_query.QueryBounds
) -> bounded_query.FirstRows:
    """The first rows of a user's query."""
    with query_turn():
        return bounded_query.first_rows(version.store, sql, bounds)


@st.cache_data(max_entries=4, show_spinner=False)
def replay_runs(version: Version) -> list[run_queries.ReplayRun]:
    """Finished replays, newest first."""
    with _connection(version) as connection:
        return run_queries.replay_runs(connection)


@st.cache_data(max_entries=4, show_spinner=False)
def false_signatures(version: Version) -> list[signature_queries.FalseSignature]:
    """Runs that name a hotkey which did not sign them."""
    with _connection(version) as connection:
        return signature_queries.false_signatures(connection)
