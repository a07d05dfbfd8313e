"""Runs a predictor over a plan: rebuild, predict in parts, write each, publish."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, partial
from typing import Any

from analytics.challenges import metadata
from analytics.warehouse import reading
from data.errors import RunError
from data.sources import Shards
from data.store import Store
from replay.answers import answer_rows, row_of
from replay.fidelity import Fidelity
from replay.forecast import Forecast, forecast
from replay.image_keys import ImageKeys
from replay.images import Builder, PartImages, Wanted, builder
from replay.parts import parts
from replay.plan import Planned, in_reading_order
from replay.predictor import Batch, Image, Lazily, Predictor
from replay.publish import ReplayReport, publish
from replay.rebuild import CannotRebuildError
from replay.runs import open_run
from replay.settings import ReplaySettings

Row = dict[str, Any]
Tell = Callable[[int], None]


def replay(
    store: Store,
    predictor: Predictor,
    planned: Sequence[Planned],
    shards: Shards,
    *,
    settings: ReplaySettings = ReplaySettings(),
    tell: Tell = lambda _: None,
) -> ReplayReport:
    """Predict every possible image of a plan's challenges in this process, and publish the run.

    Raises:
        RunError: as `Replay` and `Replay.run`.
        SourceError: as `Replay`.
    """
    return Replay(store, predictor, planned, shards, settings).run(tell=tell)


class Replay:
    """A replay whose folder is open: made now, or left by one that was interrupted."""

    def __init__(
        self,
        store: Store,
        predictor: Predictor,
        planned: Sequence[Planned],
        shards: Shards,
        settings: ReplaySettings = ReplaySettings(),
    ) -> None:
        """Open the run folder and see which parts are done.

        Args:
            store: where the run folder lies and the warehouse is.
            predictor: the candidate.
            planned: what to replay; parts are fixed by it, so that a resumed run is the same run.
            shards: the source images.
            settings: the size of parts, and the seed.

        Raises:
            RunError: the plan is empty, or the folder cannot be written.
            SourceError: the candidate names training rows that cannot be read.
        """
        if not planned:
            raise RunError(
                "replay", found="no challenge", expected="some", remedy="ingest a log first"
            )
        ordered = in_reading_order(planned)
        self._store, self._predictor, self._shards = store, predictor, shards
        self._seed, self._arithmetic = settings.seed, settings.arithmetic
        self._run = open_run(store, predictor, ordered, shards, settings)
        self._parts = list(parts(ordered, settings))
        self._keys = ImageKeys(shards, settings.seed, settings.arithmetic)
        self._left = [k for k in range(len(self._parts)) if not self._run.has_part(k)]

    @property
    def done(self) -> int:
        """Challenges that an earlier, interrupted run has answered."""
        return sum(map(len, self._parts)) - sum(len(self._parts[k]) for k in self._left)

    def forecast(self) -> Forecast:
        """What is left to do, and about how long it takes; a few images are tried for that."""
        left = [item for k in self._left for item in self._parts[k]]
        with builder(self._shards, self._seed, 1, self._arithmetic) as build:
            return forecast(left, partial(self._attempt, build))

    def run(self, workers: int = 1, tell: Tell = lambda _: None) -> ReplayReport:
        """Predict what is left, and publish the whole.

        Args:
            workers: processes that rebuild images; none besides this one for 1 or fewer. The
                answers are the same.
            tell: called with the number of challenges done by each part.

        Raises:
            RunError: the predictor answered something that is no probability, no image could be
                had, or a worker process died. What was done is kept.
        """
        tell(self.done)
        with builder(self._shards, self._seed, workers, self._arithmetic) as build:
            for index, images in self._ahead(build):
                part = self._parts[index]
                self._run.write_part(index, self._predict(part, images))
                tell(len(part))
        return publish(self._store, self._run, self._predictor, len(self._parts))

    def _ahead(self, build: Builder) -> Iterator[tuple[int, PartImages]]:
        """The parts that are left, each with the next one begun if images are looked at at all."""
        following: PartImages | None = None
        looked_at = False
        for place, index in enumerate(self._left):
            images = following or build(_wanted(self._parts[index]))
            following = None
            if looked_at:
                images.build_ahead()
                if place + 1 < len(self._left):
                    following = build(_wanted(self._parts[self._left[place + 1]]))
                    following.build_ahead()
            yield index, images
            looked_at = images.wanted

    def _predict(self, part: Sequence[Planned], images: PartImages) -> list[Row]:
        """One row an image of the part, in its order; one without an answer where there is none."""
        wanted = _wanted(part)
        impossible: dict[str, str] = {}
        rows: list[Row] = []
        while True:
            asked = [k for k, (item, _) in enumerate(wanted) if _id(item) not in impossible]
            try:
                rows = self._ask(wanted, images, asked) if asked else []
            except CannotRebuildError as error:
                # Images are built when looked at, so only now is it known that these cannot be.
                impossible[error.challenge_id] = error.reason
                continue
            break
        found = [row_of(item) for item in part if not item.drawn or _id(item) in impossible]
        for row in found:
            if row["challenge_id"] in impossible:
                row |= {
                    "fidelity": Fidelity.IMPOSSIBLE,
                    "reason": impossible[row["challenge_id"]],
                }
        return found + rows

    def _ask(self, wanted: Sequence[Wanted], images: PartImages, asked: Sequence[int]) -> list[Row]:
        makers = [partial(images.image, k) for k in asked]
        answers = self._predictor.predict(self._batch([wanted[k] for k in asked], makers))
        return answer_rows([wanted[k] for k in asked], answers, self._predictor.name)

    def _batch(self, wanted: Sequence[Wanted], makers: Sequence[Callable[[], Image]]) -> Batch:
        ids = [_id(item) for item, _ in wanted]
        keys = Lazily([partial(self._keys.key, item.challenge, drawn) for item, drawn in wanted])
        known = self._metadata
        return Batch(
            ids, Lazily(makers), None if known is None else [known[one] for one in ids], keys
        )

    @cached_property
    def _metadata(self) -> Mapping[str, Row] | None:
        """Of every challenge, if the candidate wants any."""
        if not self._predictor.wants_metadata:
            return None
        ids = [_id(item) for part in self._parts for item in part]
        with reading(self._store) as connection:
            return dict(zip(ids, metadata(connection, ids), strict=True))

    def _attempt(self, build: Builder, item: Planned, place: int) -> tuple[float, float]:
        """See `forecast.Attempt`."""
        wanted = [(item, item.drawn[place])]
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
        with suppress(CannotRebuildError):  # told when its part is predicted
            self._predictor.predict(self._batch(wanted, [image]))
        return rebuilding, time.perf_counter() - start - rebuilding


def _wanted(part: Sequence[Planned]) -> list[Wanted]:
    return [(item, drawn) for item in part for drawn in item.drawn]


def _id(item: Planned) -> str:
    return item.challenge.challenge_id
