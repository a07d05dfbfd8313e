"""All that `compare` reports: a replay among the miners, against another, less training rows."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from analytics.lives.order import EVERYONE, Choice
from data.store import Store
from replay.comparing.loaded_answers import find_run
from replay.comparing.results import Comparison
from replay.comparing.with_another_run import RunComparison, compare_with_another_run
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from replay.runs.training_rows import TrainedOn, all_training_rows, trained_on


@dataclass(frozen=True)
class ComparisonReport:
    """A comparison with the miners, and where the training rows that it leaves out are from.

    `against` compares the run with another one, whose training rows are `others`; both are None
    where no other was named.
    """

    comparison: Comparison
    own: TrainedOn
    against: RunComparison | None = None
    others: TrainedOn | None = None

    def as_json(self) -> dict[str, Any]:
        """All of it, with the files of the training rows; null where none are known."""
        fields = asdict(self.comparison) | {"training_file": _file(self.own), "against": None}
        if self.against is not None:
            fields["against"] = asdict(self.against) | {"others_training_file": _file(self.others)}
        return fields


@dataclass(frozen=True)
class ComparedRuns:
    """Which run is compared, with which other one, and a file named in place of its training rows.

    `run` and `other` are run ids, or `latest`.
    """

    run: str
    other: str | None = None
    training_file: Path | None = None


def comparison_report(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    runs: ComparedRuns,
    settings: CompareSettings = CompareSettings(),
    choice: Choice = EVERYONE,
    on_progress: Callable[[int], Any] = lambda _: None,
) -> ComparisonReport:
    """Compare a finished replay with the miners, and with another replay if one is named.

    Args:
        store: which keeps the runs' training rows.
        connection: of its warehouse.
        runs: what is compared.
        settings: of intervals and parts.
        choice: whose challenges.
        on_progress: as `compare_with_miners` calls it.

    Raises:
        RunError: as `compare_with_miners` and `compare_with_another_run`.
        QueryError: likewise.
        SourceError: the file of training rows cannot be read.
    """
    own = trained_on(store, find_run(connection, runs.run)["run_id"], runs.training_file)
    against, others = None, None
    if runs.other is not None:
        others = trained_on(store, find_run(connection, runs.other)["run_id"])
        against = compare_with_another_run(
            connection,
            runs.run,
            runs.other,
            settings.bootstrap,
            all_training_rows(own, others),
            choice,
        )
    comparison = compare_with_miners(connection, runs.run, settings, own.rows, on_progress, choice)
    return ComparisonReport(comparison, own, against, others)


def _file(trained: TrainedOn | None) -> str | None:
    return None if trained is None or trained.rows is None else str(trained.file)
