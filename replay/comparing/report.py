"""All that `compare` reports: a replay among the miners, against another, less training rows."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from analytics.lives.order import EVERYONE, Choice
from data.digests import file_digest
from data.store import Store
from replay.comparing.kept_comparison import (
    Asked,
    KeptComparison,
    comparison_basis,
    keep_comparison,
    kept_comparison,
)
from replay.comparing.loaded_answers import find_run
from replay.comparing.results import Comparison
from replay.comparing.with_another_run import RunComparison, compare_with_another_run
from replay.comparing.with_miners import CompareSettings, compare_with_miners
from replay.runs.training_rows import TrainedOn, all_training_rows, trained_on


@dataclass(frozen=True)
class ComparisonReport:
    """A comparison with the miners, and where the training rows that it leaves out are from.

    `against` compares the run with another one, whose training rows are `others`; both are None
    where no other was named. `made` is when it was computed, UTC.
    """

    comparison: Comparison
    own: TrainedOn
    made: datetime
    against: RunComparison | None = None
    others: TrainedOn | None = None

    def as_json(self) -> dict[str, Any]:
        """All of it, with the files of the training rows; null where none are known."""
        fields = asdict(self.comparison) | {
            "made": self.made.isoformat(),
            "training_file": _file(self.own),
            "against": None,
        }
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


@dataclass(frozen=True)
class ComparisonQuestion:
    """What is asked, the candidates' training rows (the run's own first), and the basis."""

    asked: Asked
    trained: list[TrainedOn]
    basis: str

    def kept(self, store: Store) -> ComparisonReport | None:
        """The report that is kept with the run, where all that it rests on is as it was."""
        kept = kept_comparison(store, self.asked, self.basis)
        return None if kept is None else self._report(kept)

    def computed(
        self,
        store: Store,
        connection: duckdb.DuckDBPyConnection,
        on_progress: Callable[[int], Any] = lambda _: None,
    ) -> ComparisonReport:
        """The report as it is computed now, which is then kept with the run.

        Args:
            store: which keeps it.
            connection: of its warehouse.
            on_progress: as `compare_with_miners` calls it.

        Raises:
            RunError: as `compare_with_miners` and `compare_with_another_run`.
            QueryError: likewise.
        """
        computed = _computed(connection, self, on_progress)
        keep_comparison(store, self.asked, computed)
        return self._report(computed)

    def _report(self, kept: KeptComparison) -> ComparisonReport:
        own, *others = self.trained
        return ComparisonReport(kept.comparison, own, kept.made, kept.against, *others)


def comparison_report(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    runs: ComparedRuns,
    settings: CompareSettings = CompareSettings(),
    choice: Choice = EVERYONE,
    on_progress: Callable[[int], Any] = lambda _: None,
) -> ComparisonReport:
    """Compare a finished replay with the miners, and with another replay if one is named.

    The result is kept with the run; what is kept there on the same basis is not computed again.

    Args:
        store: which keeps the runs' training rows and comparisons.
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
    question = comparison_question(store, connection, runs, settings, choice)
    return question.kept(store) or question.computed(store, connection, on_progress)


def comparison_question(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    runs: ComparedRuns,
    settings: CompareSettings = CompareSettings(),
    choice: Choice = EVERYONE,
) -> ComparisonQuestion:
    """What a comparison is of, by which a kept one is known; arguments as of `comparison_report`.

    Raises:
        RunError: there is no such run, or its file of training rows is damaged.
        SourceError: the file of training rows cannot be read.
    """
    run, other = find_run(connection, runs.run)["run_id"], None
    trained = [trained_on(store, run, runs.training_file)]
    if runs.other is not None:
        other = find_run(connection, runs.other)["run_id"]
        trained.append(trained_on(store, other))
    given = None if runs.training_file is None else file_digest(runs.training_file)
    asked = Asked(run, other, settings, choice, given)
    return ComparisonQuestion(asked, trained, comparison_basis(connection, asked, trained))


def _computed(
    connection: duckdb.DuckDBPyConnection,
    question: ComparisonQuestion,
    on_progress: Callable[[int], Any],
) -> KeptComparison:
    asked, trained, against = question.asked, question.trained, None
    if asked.other is not None:
        against = compare_with_another_run(
            connection,
            asked.run,
            asked.other,
            asked.settings.bootstrap,
            all_training_rows(*trained),
            asked.choice,
        )
    comparison = compare_with_miners(
        connection, asked.run, asked.settings, trained[0].rows, on_progress, asked.choice
    )
    made = datetime.now(UTC).replace(microsecond=0)
    return KeptComparison(question.basis, made, comparison, against)


def _file(trained: TrainedOn | None) -> str | None:
    return None if trained is None or trained.rows is None else str(trained.file)
