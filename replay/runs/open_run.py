"""A run that is open: what is left to do of it, and its answers kept as they come."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from analytics.queries.challenges import challenge_metadata
from analytics.warehouse.connection import reading
from data.errors import RunError
from data.store import Store
from replay.answering.part_file import decoded_part, encoded_part
from replay.answering.part_rows import in_plan_order
from replay.answering.part_work import PartAnswer, PartWork
from replay.candidates.description import CandidateDescription
from replay.plans.parts import Parts
from replay.plans.plan import Plan, Planned
from replay.runs.planned_run import PlannedRun
from replay.runs.publish import ReplayReport, publish
from replay.runs.resume import remaining_work, standing_rows
from replay.runs.run_folder import open_run_folder

OnProgress = Callable[[int], None]


class OpenRun:
    """A replay whose folder is open and locked: made now, or left by one that was interrupted.

    A context: at its end the folder is free for others.
    """

    def __init__(self, store: Store, candidate: CandidateDescription, planned: PlannedRun) -> None:
        """Open the run folder and see what is left to do, see `resume`.

        Args:
            store: where the run folder lies and the warehouse is.
            candidate: what answers.
            planned: what to do.

        Raises:
            RunError: the plan is empty, another process works on the same run, or the folder cannot
                be written.
        """
        if not len(planned.plan):
            raise RunError(
                "replay", found="no challenge", expected="some", remedy="ingest a log first"
            )
        self._store, self._candidate = store, candidate
        self._folder, decisive = open_run_folder(store, candidate, planned)
        try:
            self._parts = Parts(planned.plan, planned.settings)
            self._remaining = remaining_work(self._folder, self._parts)
            if self._remaining.positions or not self._folder.has_description:
                self._folder.write_description(decisive, planned.asked, candidate.precision)
        except BaseException:
            self._folder.lock.release()
            raise

    def __enter__(self) -> Self:
        """The run itself."""
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Free the folder."""
        self._folder.lock.release()

    @property
    def plan(self) -> Plan:
        """What is replayed."""
        return self._parts.plan

    @property
    def done_before(self) -> int:
        """Challenges that an earlier run of the same is done with."""
        return len(self.plan) - self._remaining.challenge_count

    @property
    def retried(self) -> int:
        """Challenges whose images an earlier run could not rebuild."""
        return self._remaining.retried_count

    @property
    def positions_left(self) -> npt.NDArray[np.int64]:
        """Positions in the plan of the challenges left, in order of reading."""
        return self._remaining.every_position

    def work(self) -> Iterator[PartWork]:
        """What is left to do, part by part, each made when it is asked for."""
        for index in self._remaining.positions:
            challenges = self._remaining.challenges(index)
            yield PartWork(index, challenges, self.metadata(challenges))

    def metadata(self, challenges: Sequence[Planned]) -> dict[str, dict[str, Any]] | None:
        """The metadata of challenges by their ids; None if the candidate wants none."""
        if not self._candidate.wants_metadata:
            return None
        ids = [item.challenge.challenge_id for item in challenges]
        with reading(self._store) as connection:
            return dict(zip(ids, challenge_metadata(connection, ids), strict=True))

    def keep(self, answer: PartAnswer) -> int:
        """Write a part's answers, with those that it has already; how many challenges that does.

        Raises:
            WriteError: the folder cannot be written.
        """
        parquet = answer.parquet
        done = len(self._remaining.positions[answer.index])
        if answer.index in self._remaining.retried_parts:
            written = self._folder.read_part(answer.index)
            retried = self._remaining.challenges(answer.index)
            rows = [*standing_rows(written, retried), *decoded_part(parquet)]
            rows = in_plan_order(self._parts.part(answer.index), rows)
            if rows == written:
                return done
            parquet = encoded_part(rows)
        self._folder.write_part(answer.index, parquet)
        return done

    def finish(self, answers: Iterable[PartAnswer], on_progress: OnProgress) -> ReplayReport:
        """Keep answers as they come, then publish the whole run.

        Args:
            answers: to all that `work` gave.
            on_progress: called with the number of challenges done, first with those done before.

        Raises:
            RunError: no image could be rebuilt. What was done is kept.
        """
        on_progress(self.done_before)
        for answer in answers:
            on_progress(self.keep(answer))
        return publish(self._store, self._folder, self._candidate, self._parts.part_count)
