"""Runs a predictor over a plan: rebuild, predict in parts, write each, publish."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from data.errors import RunError
from data.sources.shards import Shards
from data.store import Store
from replay.candidates.predictor import Predictor, precision
from replay.plans.parts import Parts
from replay.plans.plan import Plan, Planned
from replay.rebuilding.image_keys import ImageKeys
from replay.runs.forecast import Forecast, forecast
from replay.runs.image_workers import ImageBuilder, PartImages, image_builder
from replay.runs.part_predictor import PartPredictor, images_of
from replay.runs.part_rows import Row, in_plan_order
from replay.runs.publish import ReplayReport, publish
from replay.runs.resume import remaining_work, standing_rows
from replay.runs.run_folder import open_run
from replay.settings import ReplaySettings

OnProgress = Callable[[int], None]


def replay(
    store: Store,
    predictor: Predictor,
    plan: Plan,
    shards: Shards,
    *,
    settings: ReplaySettings = ReplaySettings(),
    on_progress: OnProgress = lambda _: None,
) -> ReplayReport:
    """Predict every possible image of a plan's challenges in this process, and publish the run.

    Raises:
        RunError: as `Replay` and `Replay.run`.
        SourceError: as `Replay`.
    """
    return Replay(store, predictor, plan, shards, settings).run(on_progress=on_progress)


class Replay:
    """A replay whose folder is open and locked: made now, or left by one that was interrupted."""

    def __init__(
        self,
        store: Store,
        predictor: Predictor,
        plan: Plan,
        shards: Shards,
        settings: ReplaySettings = ReplaySettings(),
        *,
        asked: Mapping[str, Any] = MappingProxyType({}),
        fresh: bool = False,
    ) -> None:
        """Open the run folder and see what is left to do, see `resume`.

        Args:
            store: where the run folder lies and the warehouse is.
            predictor: the candidate.
            plan: what to replay; parts are fixed by it, so that a resumed run is the same run.
            shards: the source images.
            settings: the size of parts, and the seed.
            asked: how the run was asked for (selection, variants), for `run.json`.
            fresh: start over, whatever an earlier run of the same has answered.

        Raises:
            RunError: the plan is empty, another process works on the same run, or the folder cannot
                be written.
            SourceError: the candidate names training rows that cannot be read.
        """
        if not len(plan):
            raise RunError(
                "replay", found="no challenge", expected="some", remedy="ingest a log first"
            )
        self._store, self._predictor, self._shards = store, predictor, shards
        self._seed, self._arithmetic = settings.seed, settings.arithmetic
        self._run, decisive = open_run(store, predictor, plan, shards, settings, fresh=fresh)
        self._parts = Parts(plan, settings)
        keys = ImageKeys(shards, settings.seed, settings.arithmetic)
        self._part_predictor = PartPredictor(store, predictor, keys)
        self._remaining = remaining_work(self._run, self._parts)
        if self._remaining.positions or not self._run.has_description:
            self._run.write_description(decisive, asked, precision(predictor))

    @property
    def done_before(self) -> int:
        """Challenges that an earlier run of the same is done with."""
        return len(self._parts.plan) - self._remaining.challenge_count

    @property
    def retried(self) -> int:
        """Challenges whose images an earlier run could not rebuild."""
        return self._remaining.retried_count

    def forecast(self) -> Forecast:
        """What is left to do, and about how long it takes; a few images are tried for that."""
        left = self._remaining.every_position
        with image_builder(self._shards, self._seed, 1, self._arithmetic) as build:
            return forecast(self._parts.plan, left, partial(self._part_predictor.time_image, build))

    def run(self, workers: int = 1, on_progress: OnProgress = lambda _: None) -> ReplayReport:
        """Predict what is left, and publish the whole; the folder is free for others then.

        Args:
            workers: processes that rebuild images; none besides this one for 1 or fewer. The
                answers are the same.
            on_progress: called with the number of challenges done by each part.

        Raises:
            RunError: the predictor answered something that is no probability, no image could be
                rebuilt, or a worker process died. What was done is kept.
        """
        try:
            on_progress(self.done_before)
            with image_builder(self._shards, self._seed, workers, self._arithmetic) as build:
                for index, challenges, images in self._parts_ahead(build):
                    self._predict_part(index, challenges, images)
                    on_progress(len(self._remaining.positions[index]))
            return publish(self._store, self._run, self._predictor, self._parts.part_count)
        finally:
            self._run.lock.release()

    def _parts_ahead(self, build: ImageBuilder) -> Iterator[tuple[int, list[Planned], PartImages]]:
        """The parts that are left, each with the next one begun if images are looked at at all."""
        following: PartImages | None = None
        next_challenges: list[Planned] | None = None
        looked_at = False
        left = list(self._remaining.positions)
        for ordinal, index in enumerate(left):
            challenges = next_challenges or self._remaining.challenges(index)
            images = following or build(images_of(challenges))
            following, next_challenges = None, None
            if looked_at:
                images.build_ahead()
                if ordinal + 1 < len(left):
                    next_challenges = self._remaining.challenges(left[ordinal + 1])
                    following = build(images_of(next_challenges))
                    following.build_ahead()
            yield index, challenges, images
            looked_at = images.looked_at

    def _predict_part(self, index: int, challenges: list[Planned], images: PartImages) -> None:
        """Predict what is left of a part and write it, with the answers that it has already."""
        written: list[Row] = []
        if index in self._remaining.retried_parts:
            # They could not be rebuilt before: not worth a candidate's time until they can.
            _ = images.failures
            written = self._run.read_part(index)
        predicted = self._part_predictor.rows(challenges, images)
        rows = [*standing_rows(written, challenges), *predicted]
        rows = in_plan_order(self._parts.part(index), rows)
        if rows != written:
            self._run.write_part(index, rows)
