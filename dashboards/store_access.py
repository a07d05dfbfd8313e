"""How pages reach a store: one reader at a time, and answers kept until the store changes.

A page passes the `Version` of what it asks about, so that a new ingest, replay or shard is seen at
the next click, and nothing is computed twice until then.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import streamlit as st

from analytics import gates
from analytics import overview as queries
from analytics.challenges import stored_challenges
from analytics.warehouse import reading
from data.errors import StreetReplayError
from data.sources import open_shards
from data.store import Store
from data.text import printable
from replay.compare import compare as compare_run
from replay.comparison import Comparison
from replay.plan import Planned, plan
from replay.trained_on import trained_on

# DuckDB shares one open file among the connections of a process: while an old snapshot is open, a
# new connection reads it too, though the published file has been replaced. One at a time it is.
_ONE_READER = threading.Lock()


@dataclass(frozen=True)
class Version:
    """A store's folder and what changes when its files do: (name, time in ns, bytes) of each."""

    root: str
    files: tuple[tuple[str, int, int], ...]

    @property
    def store(self) -> Store:
        """The store itself."""
        return Store(Path(self.root))


def warehouse_version(store: Store) -> Version:
    """The version of the warehouse alone."""
    return _version(store, [store.warehouse])


def images_version(store: Store) -> Version:
    """The version of warehouse and source shards."""
    return _version(store, [store.warehouse, *sorted(store.sources.glob("*.parquet"))])


def _version(store: Store, paths: list[Path]) -> Version:
    files = [(path.name, path.stat()) for path in paths]
    return Version(
        str(store.root), tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in files)
    )


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Show what goes wrong inside as one line of text instead of a trace."""
    try:
        yield
    except (StreetReplayError, duckdb.Error, OSError, MemoryError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        st.error("This cannot be shown:", icon=":material/error:")
        # as code: an error may quote a log, and st.error would render that as markdown
        st.code(printable(words), language=None, wrap_lines=True)


@contextmanager
def _connection(version: Version) -> Iterator[duckdb.DuckDBPyConnection]:
    with _ONE_READER, reading(version.store) as connection:
        yield connection


@st.cache_data(max_entries=4, show_spinner=False)
def overview(version: Version) -> queries.Overview:
    """Totals and counts of a store."""
    with _connection(version) as connection:
        return queries.overview(connection)


@st.cache_data(max_entries=4, show_spinner=False)
def replay_runs(version: Version) -> list[queries.ReplayRun]:
    """Finished replays, newest first."""
    with _connection(version) as connection:
        return queries.replay_runs(connection)


@st.cache_data(max_entries=4, show_spinner=False)
def gated_runs(version: Version) -> list[queries.ReplayRun]:
    """Finished replays of models with gates, newest first."""
    with _connection(version) as connection:
        return gates.gated_runs(connection)


@st.cache_data(max_entries=16, show_spinner="Drawing intervals …")
def gate_means(version: Version, run_id: str, label: int | None) -> gates.GateMeans:
    """The gates of a replay's challenges; `label` None is both."""
    with _connection(version) as connection:
        return gates.gate_means(connection, run_id, label)


@st.cache_data(max_entries=8, show_spinner="Comparing with every miner …")
def comparison(version: Version, run_id: str) -> Comparison:
    """A replay compared with the logged miners, less what its candidate was trained on."""
    trained = trained_on(version.store, run_id)
    with _connection(version) as connection:
        return compare_run(connection, run_id, training=trained.rows)


# a resource, not data: 100,000 challenges are not to be copied at every click
@st.cache_resource(max_entries=2, show_spinner="Finding what can be rebuilt …")
def planned_challenges(version: Version) -> list[Planned]:
    """Every challenge with its fidelity, in order of validators' lives; not to be changed."""
    with _connection(version) as connection:
        challenges = stored_challenges(connection)
    return plan(challenges, open_shards(version.store.sources, required=False))


@st.cache_data(max_entries=64, show_spinner=False)
def challenge(
    version: Version, challenge_id: str, run_id: str | None
) -> tuple[dict[str, Any], list[queries.Answer], queries.CandidateAnswer | None]:
    """What the log says of a challenge, its answers, and that of a replay if one is named."""
    with _connection(version) as connection:
        return (
            queries.challenge_record(connection, challenge_id),
            queries.challenge_answers(connection, challenge_id),
            queries.candidate_answer(connection, run_id, challenge_id) if run_id else None,
        )
