"""Comparisons kept in the folder of their run, so that none is computed twice.

A kept comparison names its basis: a hash of all that its numbers rest on. Where the basis is
another by now (logs were added, the run was done again, the code changed) it is out of date, which
is said wherever it is shown.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np

from analytics.lives.order import EVERYONE, Choice
from analytics.slices.scores import SliceSettings
from analytics.warehouse.contents import contents_digest
from data.digests import code_digest, file_digest
from data.kept_values import keep, read_kept
from data.store import Store
from replay.comparing.loaded_answers import find_run
from replay.comparing.results import Comparison
from replay.comparing.with_another_run import RunComparison
from replay.comparing.with_miners import CompareSettings
from replay.runs.training_rows import TrainedOn

_FOLDER = "comparisons"
_CODE = ("analytics", "data", "replay")


@dataclass(frozen=True)
class Asked:
    """What is compared: a run, perhaps with `other`, both by id; how; and whose challenges.

    `training` is the digest of a file of training rows that a person named in place of the run's
    own: other rows leave out other challenges, which makes another comparison.
    """

    run: str
    other: str | None = None
    settings: CompareSettings = field(default_factory=CompareSettings)
    choice: Choice = EVERYONE
    training: str | None = None

    @property
    def key(self) -> str:
        """Equal for what gives the same numbers on the same basis."""
        asked = asdict(self)
        # threads change the time, never a number
        del asked["settings"]["bootstrap"]["threads"]
        if self.settings.slices is not None:
            del asked["settings"]["slices"]["bootstrap"]["threads"]
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def with_slices(self) -> "Asked":
        """The same, and slices too."""
        settings = self.settings
        slices = settings.slices or SliceSettings(settings.bootstrap)
        return replace(self, settings=replace(settings, slices=slices))


@dataclass(frozen=True)
class KeptComparison:
    """A comparison, and one with another run where that was asked for; `made` is in UTC."""

    basis: str
    made: datetime
    comparison: Comparison
    against: RunComparison | None


def comparison_basis(
    connection: duckdb.DuckDBPyConnection, asked: Asked, trained: list[TrainedOn]
) -> str:
    """A hash of all that a comparison rests on: logs, runs, training rows, and this code.

    Args:
        connection: of the warehouse.
        asked: whose runs.
        trained: the training rows of their candidates.

    Raises:
        RunError: there is no such run.
    """
    names = [asked.run] if asked.other is None else [asked.run, asked.other]
    parts = {
        "contents": contents_digest(connection),
        "runs": [find_run(connection, name) for name in names],
        "training": [None if own.rows is None else file_digest(own.file) for own in trained],
        "code": [np.__version__, code_digest(*_CODE)],
    }
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()


def kept_comparison(store: Store, asked: Asked, basis: str | None = None) -> KeptComparison | None:
    """The comparison that is kept: on this basis, or on whatever basis where none is named.

    One with slices serves who asks for none. None where nothing is kept, or the file is damaged.
    """
    for file in dict.fromkeys((_file(store, asked), _file(store, asked.with_slices))):
        kept = read_kept(file, KeptComparison)
        if kept is not None and basis in (None, kept.basis):
            return kept if asked.settings.slices is not None else _without_slices(kept)
    return None


def keep_comparison(store: Store, asked: Asked, kept: KeptComparison) -> None:
    """Keep a comparison with its run, in place of an older one; not in a store only to be read."""
    keep(_file(store, asked), kept)


def comparisons_folder(store: Store, run_id: str) -> Path:
    """Where the comparisons of a run are kept."""
    return store.runs / run_id / _FOLDER


def _file(store: Store, asked: Asked) -> Path:
    return comparisons_folder(store, asked.run) / f"{asked.key}.json"


def _without_slices(kept: KeptComparison) -> KeptComparison:
    return replace(kept, comparison=replace(kept.comparison, slices=[], slices_left_out={}))
