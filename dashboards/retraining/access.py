"""What the page Retraining shows of a store, kept until the store changes; nothing imports torch.

What is changing while one looks (processes, logs, the promotions log) is read at every look: those
are small files.
"""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from analytics.warehouse.connection import reading
from dashboards.parts.store_access import Version, images_digest
from data.errors import RunError
from data.sources.folder_listing import listing_sha256
from data.sources.shards import open_shards
from data.sources.source_path import SourcePath
from data.store import Store
from model.champion.champion import Champion, champion, entries_in_effect
from model.champion.pointer import read_pointer
from model.champion.promotions import Entry, read_promotions
from model.retraining.background import RowsFolder
from model.retraining.decision_now import DecisionNow, decision_now
from model.retraining.retrain_folder import RetrainFolder, retrainings
from model.rows.source_rows import ListedRows, list_rows
from model.weighting.evidence import Evidence
from model.weighting.gather import gather
from model.weighting.policy import WeightPolicy
from model.weighting.sample_weights import WeightedRows, weigh

Key = tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """What is deployed and how it came to be.

    `champion` is None without one, or where it was removed or altered, which `problem` says then.
    `in_effect` are the numbers of entries that made something champion.
    """

    champion: Champion | None
    problem: str | None
    entries: list[Entry]
    in_effect: frozenset[int]
    retrainings: list[RetrainFolder]


def standing(store: Store) -> Standing:
    """Read what is deployed, and the history."""
    problem, found, in_effect = None, None, frozenset[int]()
    try:
        found = _whole_champion(str(store.root), _champion_key(store))
        in_effect = frozenset(entry.entry for entry in entries_in_effect(store))
    except RunError as error:
        problem = str(error)
    return Standing(found, problem, read_promotions(store), in_effect, retrainings(store))


def decision(version: Version, store: Store, rows: RowsFolder) -> DecisionNow:
    """The decision as of now.

    Raises:
        RunError: no champion, one that was removed or altered, or one that was never replayed.
        SourceError: no shards.
    """
    changed = (*_champion_key(store), *_history_key(store))
    return _decision(version, rows, changed, images_digest(rows_folder(store, rows)))


def listed_rows(store: Store, rows: RowsFolder) -> ListedRows:
    """The rows of a folder that a validator would send; not to be changed.

    Raises:
        SourceError: no shards.
    """
    folder = rows_folder(store, rows)
    return _listed_rows(str(folder), images_digest(folder))


def weights_evidence(version: Version, store: Store, rows: RowsFolder, run_id: str) -> Evidence:
    """What the log and the champion's replay say of the rows; not to be changed.

    Raises:
        SourceError: no shards.
    """
    return _weights_evidence(version, rows, run_id, images_digest(rows_folder(store, rows)))


def weighted(
    version: Version, store: Store, rows: RowsFolder, run_id: str, policy: WeightPolicy
) -> WeightedRows:
    """What a policy makes of them; not to be changed.

    Raises:
        RunError: no rows, none with GPS although the policy weighs by place, or all weights are 0.
        SourceError: no shards.
    """
    return _weighted(version, rows, run_id, images_digest(rows_folder(store, rows)), policy)


def rows_folder(store: Store, rows: RowsFolder) -> SourcePath:
    """Where the rows lie."""
    return store.training_place if rows is RowsFolder.TRAINING else store.sources_place


def _champion_key(store: Store) -> Key:
    """What changes when another checkpoint is deployed, or this one is altered."""
    pointer = read_pointer(store)
    return (str(pointer), "" if pointer is None else listing_sha256(store.root / pointer.folder))


def _history_key(store: Store) -> Key:
    """What changes with the promotions log and with each step of a retraining."""
    return (
        *(f"{entry.entry} {entry.at}" for entry in read_promotions(store)),
        *(f"{folder.path.name} {len(folder.steps)}" for folder in retrainings(store)),
    )


# reads the whole checkpoint
@st.cache_data(max_entries=4, show_spinner="Checking the champion …")
def _whole_champion(root: str, changed: Key) -> Champion | None:
    return champion(Store(Path(root)))


@st.cache_data(max_entries=4, show_spinner="Looking for drift …")
def _decision(version: Version, rows: RowsFolder, changed: Key, listing: str) -> DecisionNow:
    listed = listed_rows(version.store, rows)
    with reading(version.store) as connection:
        return decision_now(connection, version.store, listed.rows)


# a resource, not data: it is large, and not to be copied at every click
@st.cache_resource(max_entries=2, show_spinner="Reading the source rows …")
def _listed_rows(folder: str, listing: str) -> ListedRows:
    return list_rows(open_shards(folder))


@st.cache_resource(max_entries=2, show_spinner="Looking where the champion loses …")
def _weights_evidence(version: Version, rows: RowsFolder, run_id: str, listing: str) -> Evidence:
    listed = listed_rows(version.store, rows)
    with reading(version.store) as connection:
        return gather(connection, version.store, listed.rows, WeightPolicy(), run_id).evidence


@st.cache_resource(max_entries=8, show_spinner=False)
def _weighted(
    version: Version, rows: RowsFolder, run_id: str, listing: str, policy: WeightPolicy
) -> WeightedRows:
    return weigh(_weights_evidence(version, rows, run_id, listing), policy)
