"""Runs a predictor over a plan: rebuild, predict in parts, write each, publish."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from types import MappingProxyType
from typing import Any

from analytics.queries.challenges import challenge_metadata
from analytics.warehouse.connection import reading
from data.errors import RunError, StreetReplayError
from data.sources.shards import Shards
from data.store import Store
from replay.candidates.predictor import Batch, Image, LazySequence, Predictor, precision
from replay.plans.plan import Planned, in_reading_order
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError
from replay.runs.forecast import Forecast, forecast
from replay.runs.image_workers import ImageBuilder, PartImages, PlannedImage, image_builder
from replay.runs.part_limits import parts
from replay.runs.part_rows import answer_rows, in_order, row_of
from replay.runs.publish import ReplayReport, publish
from replay.runs.run_folder import open_run
from replay.settings import ReplaySettings

Row = dict[str, Any]
OnProgress = Callable[[int], None]


def replay(
    store: Store,
    predictor: Predictor,
    planned: Sequence[Planned],
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
    return Replay(store, predictor, planned, shards, settings).run(on_progress=on_progress)


class Replay:
    """A replay whose folder is open and locked: made now, or left by one that was interrupted."""

    def __init__(
        self,
        store: Store,
        predictor: Predictor,
        planned: Sequence[Planned],
        shards: Shards,
        settings: ReplaySettings = ReplaySettings(),
        *,
        asked: Mapping[str, Any] = MappingProxyType({}),
        fresh: bool = False,
    ) -> None:
        """Open the run folder and see what is left to do.

        That is what no part holds, and the challenges whose images could not be had: their sources
        may have been mended since.

        Args:
            store: where the run folder lies and the warehouse is.
            predictor: the candidate.
            planned: what to replay; parts are fixed by it, so that a resumed run is the same run.
            shards: the source images.
            settings: the size of parts, and the seed.
            asked: how the run was asked for (selection, variants), for `run.json`.
            fresh: start over, whatever an earlier run of the same has answered.

        Raises:
            RunError: the plan is empty, another process works on the same run, or the folder cannot
                be written.
            SourceError: the candidate names training rows that cannot be read.
        """
        if not planned:
            raise RunError(
                "replay", found="no challenge", expected="some", remedy="ingest a log first"
            )
        ordered = in_reading_order(planned)
        self._store, self._predictor, self._shards = store, predictor, shards
        self._seed, self._arithmetic = settings.seed, settings.arithmetic
        self._run, decisive = open_run(store, predictor, ordered, shards, settings, fresh=fresh)
        self._parts = list(parts(ordered, settings))
        self._keys = ImageKeys(shards, settings.seed, settings.arithmetic)
        self._left: dict[int, Sequence[Planned]] = {}
        self._again: set[int] = set()
        for index, part in enumerate(self._parts):
            unanswered = self._run.unanswered(index)
            if left := _left(part, unanswered):
                self._left[index] = left
                if unanswered is not None:
                    self._again.add(index)
        if self._left or not self._run.is_described:
            self._run.describe(decisive, asked, precision(predictor))

    @property
    def done(self) -> int:
        """Challenges that an earlier run of the same is done with."""
        return sum(map(len, self._parts)) - sum(map(len, self._left.values()))

    @property
    def tried_again(self) -> int:
        """Challenges whose images an earlier run could not have."""
        return sum(len(self._left[k]) for k in self._again)

    def forecast(self) -> Forecast:
        """What is left to do, and about how long it takes; a few images are tried for that."""
        left = [item for items in self._left.values() for item in items]
        with image_builder(self._shards, self._seed, 1, self._arithmetic) as build:
            return forecast(left, partial(self._attempt, build))

    def run(self, workers: int = 1, on_progress: OnProgress = lambda _: None) -> ReplayReport:
        """Predict what is left, and publish the whole; the folder is free for others then.

        Args:
            workers: processes that rebuild images; none besides this one for 1 or fewer. The
                answers are the same.
            on_progress: called with the number of challenges done by each part.

        Raises:
            RunError: the predictor answered something that is no probability, no image could be
                had, or a worker process died. What was done is kept.
        """
        try:
            on_progress(self.done)
            with image_builder(self._shards, self._seed, workers, self._arithmetic) as build:
                for index, images in self._ahead(build):
                    self._do(index, images)
                    on_progress(len(self._left[index]))
            return publish(self._store, self._run, self._predictor, len(self._parts))
        finally:
            self._run.lock.release()

    def _ahead(self, build: ImageBuilder) -> Iterator[tuple[int, PartImages]]:
        """The parts that are left, each with the next one begun if images are looked at at all."""
        following: PartImages | None = None
        looked_at = False
        left = list(self._left)
        for place, index in enumerate(left):
            images = following or build(_wanted(self._left[index]))
            following = None
            if looked_at:
                images.build_ahead()
                if place + 1 < len(left):
                    following = build(_wanted(self._left[left[place + 1]]))
                    following.build_ahead()
            yield index, images
            looked_at = images.wanted

    def _do(self, index: int, images: PartImages) -> None:
        """Predict what is left of a part and write it, with the answers that it has already."""
        left, kept = self._left[index], []
        if index in self._again:
            # They could not be had before: not worth a candidate's time until they can.
            _ = images.failures
            kept = self._run.read_part(index)
        redone = {_id(item) for item in left}
        rows = [row for row in kept if row["challenge_id"] not in redone]
        rows = in_order(self._parts[index], [*rows, *self._predict(left, images)])
        if rows != kept:
            self._run.write_part(index, rows)

    def _predict(self, part: Sequence[Planned], images: PartImages) -> list[Row]:
        """One row an image; one without an answer for a challenge where there is none."""
        wanted = _wanted(part)
        failures = images.failures if images.wanted else {}
        answered: list[Row] | None = None
        if not failures:
            answered = self._ask_all(wanted, images)
            failures = images.failures if images.wanted else {}
        if answered is None or failures:
            answered = self._ask(wanted, images, failures)
        unanswered = [row_of(item) for item in part if not item.variants or _id(item) in failures]
        for row in unanswered:
            if (failure := failures.get(row["challenge_id"])) is not None:
                row |= {"fidelity": Fidelity.IMPOSSIBLE, "reason": failure.reason}
        return unanswered + answered

    def _ask_all(self, wanted: Sequence[PlannedImage], images: PartImages) -> list[Row] | None:
        """The answers; None if some image turned out not to be had, told at the first look."""
        try:
            return self._ask(wanted, images, {})
        except StreetReplayError:
            # whatever a candidate makes of it: it is no fault of the candidate's
            if images.wanted and images.failures:
                return None
            raise

    def _ask(
        self,
        wanted: Sequence[PlannedImage],
        images: PartImages,
        left_out: Mapping[str, CannotRebuildError],
    ) -> list[Row]:
        """The answers to all images but those of the challenges `left_out`."""
        asked = [k for k, (item, _) in enumerate(wanted) if _id(item) not in left_out]
        if not asked:
            return []
        makers = [partial(_look, images, k, left_out) for k in asked]
        answers = self._predictor.predict(self._batch([wanted[k] for k in asked], makers))
        return answer_rows([wanted[k] for k in asked], answers, self._predictor.name)

    def _batch(
        self, wanted: Sequence[PlannedImage], makers: Sequence[Callable[[], Image]]
    ) -> Batch:
        ids = [_id(item) for item, _ in wanted]
        keys = LazySequence(
            [partial(self._keys.key, item.challenge, variant) for item, variant in wanted]
        )
        known = self._metadata
        return Batch(
            ids, LazySequence(makers), None if known is None else [known[one] for one in ids], keys
        )

    @cached_property
    def _metadata(self) -> Mapping[str, Row] | None:
        """Of every challenge, if the candidate wants any."""
        if not self._predictor.wants_metadata:
            return None
        ids = [_id(item) for part in self._parts for item in part]
        with reading(self._store) as connection:
            return dict(zip(ids, challenge_metadata(connection, ids), strict=True))

    def _attempt(self, build: ImageBuilder, item: Planned, place: int) -> tuple[float, float]:
        """See `forecast.Attempt`."""
        wanted = [(item, item.variants[place])]
        images = build(wanted)
        rebuilding = 0.0

        def image() -> Image:
            nonlocal rebuilding
            start = time.perf_counter()
            try:
                return images.image(0)
            finally:
                rebuilding += time.perf_counter() - start

        start = time.perf_counter()
        try:
            self._predictor.predict(self._batch(wanted, [image]))
        except StreetReplayError:
            # as in `_ask_all`; told when its part is predicted
            if not (images.wanted and images.failures):
                raise
        return rebuilding, time.perf_counter() - start - rebuilding


def _look(images: PartImages, index: int, left_out: Mapping[str, CannotRebuildError]) -> Image:
    """An image of a part, once all that cannot be had is left out; else the first reason why not.

    At the first look: a candidate asked again has then done nothing that it does twice.
    """
    for challenge_id, failure in images.failures.items():
        if challenge_id not in left_out:
            raise failure
    return images.image(index)


def _left(part: Sequence[Planned], unanswered: set[str] | None) -> Sequence[Planned]:
    """What of a part is to be done: all where it is not written, else what has no answer yet."""
    if unanswered is None:
        return part
    return [item for item in part if item.variants and _id(item) in unanswered]


def _wanted(part: Sequence[Planned]) -> list[PlannedImage]:
    return [(item, variant) for item in part for variant in item.variants]


def _id(item: Planned) -> str:
    return item.challenge.challenge_id
