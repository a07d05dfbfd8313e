"""Predicts the images of a part; those that cannot be rebuilt are left out, with the reason."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from data.errors import SourceAccessError, StreetReplayError
from replay.answering.image_workers import ImageBuilder, PartImages, PlannedImage
from replay.answering.part_file import encoded_part
from replay.answering.part_rows import Row, answer_rows, in_plan_order, part_row
from replay.answering.part_work import PartAnswer, PartWork
from replay.candidates.predictor import (
    Batch,
    BegunPredictions,
    Image,
    LazySequence,
    Predictor,
    batch_size,
    begin_predict,
)
from replay.plans.plan import Planned
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError


@dataclass(frozen=True)
class _Asked:
    """Images that a candidate was asked about, and its answers; None where it was asked nothing."""

    images: Sequence[PlannedImage]
    predictions: BegunPredictions | None


@dataclass(frozen=True)
class BegunPart:
    """A part that a candidate has begun with.

    `failures` by challenge: why its images cannot be rebuilt; `candidate`: its name.
    """

    work: PartWork
    failures: Mapping[str, CannotRebuildError]
    asked: _Asked
    candidate: str

    def done(self) -> bool:
        """Whether `answer` would not wait for the candidate."""
        return self.asked.predictions is None or self.asked.predictions.done()

    def answer(self) -> PartAnswer:
        """The part's file: one row an image, and one for a challenge where there is none.

        Raises:
            RunError: the candidate cannot answer, or answered something that is no probability.
        """
        rows = [*self._unanswered(), *self._answered()]
        return PartAnswer(self.work.index, encoded_part(in_plan_order(self.work.challenges, rows)))

    def _answered(self) -> list[Row]:
        if self.asked.predictions is None:
            return []
        return answer_rows(self.asked.images, self.asked.predictions.result(), self.candidate)

    def _unanswered(self) -> list[Row]:
        failures = self.failures
        rows = [
            part_row(item)
            for item in self.work.challenges
            if not item.variants or _id(item) in failures
        ]
        for row in rows:
            if (failure := failures.get(row["challenge_id"])) is not None:
                row |= {"fidelity": Fidelity.IMPOSSIBLE, "reason": failure.reason}
        return rows


class PartPredictor:
    """A candidate, with the keys of the images that its batches need."""

    def __init__(self, predictor: Predictor, keys: ImageKeys) -> None:
        """Nothing is read yet."""
        self._predictor, self._keys = predictor, keys

    def begin(self, work: PartWork, images: PartImages) -> "BegunPart":
        """Let the candidate begin with a part; its images are not needed any more then.

        Args:
            work: the part.
            images: of `images_of` its challenges.

        Raises:
            RunError: the candidate cannot answer.
        """
        if work.retried:
            # They could not be rebuilt before: not worth a candidate's time until they can.
            _ = images.failures
        failures = images.failures if images.looked_at else {}
        asked = None if failures else self._ask_all(work, images)
        if images.looked_at:
            failures = images.failures
        if asked is None or failures:
            asked = self._ask(work, images, failures)
        return BegunPart(work, failures, asked, self._predictor.name)

    def time_image(
        self, build: ImageBuilder, work: PartWork, variant_index: int
    ) -> tuple[float, float]:
        """Predict one image of a part's first challenge: the seconds to rebuild it, and the rest.

        See `forecast.TimeImage`. Of the rest, an image's share of the batch that a candidate fills
        up.
        """
        item = work.challenges[0]
        planned_images = [(item, item.variants[variant_index])]
        images = build(planned_images)
        rebuild_seconds = 0.0

        def image() -> Image:
            nonlocal rebuild_seconds
            start = time.perf_counter()
            try:
                return images.image(0)
            finally:
                rebuild_seconds += time.perf_counter() - start

        start = time.perf_counter()
        try:
            self._predictor.predict(self._batch(work, planned_images, [image]))
        except SourceAccessError:
            raise
        except StreetReplayError:
            # as in `_ask_all`; the failure is recorded when its part is predicted
            if not (images.looked_at and images.failures):
                raise
        rest = time.perf_counter() - start - rebuild_seconds
        return rebuild_seconds, rest / batch_size(self._predictor)

    def _ask_all(self, work: PartWork, images: PartImages) -> "_Asked | None":
        """All images; None if some cannot be rebuilt, as the first look at one showed."""
        try:
            return self._ask(work, images, {})
        except SourceAccessError:
            raise
        except StreetReplayError:
            # whatever a candidate makes of it: it is no fault of the candidate's
            if images.looked_at and images.failures:
                return None
            raise

    def _ask(
        self,
        work: PartWork,
        images: PartImages,
        left_out: Mapping[str, CannotRebuildError],
    ) -> "_Asked":
        """All images but those of the challenges `left_out`."""
        planned_images = images_of(work.challenges)
        indices = [
            index for index, (item, _) in enumerate(planned_images) if _id(item) not in left_out
        ]
        if not indices:
            return _Asked([], None)
        asked = [planned_images[index] for index in indices]
        image = images.image if left_out else partial(_image_of_whole_part, images)
        makers = [partial(image, index) for index in indices]
        return _Asked(asked, begin_predict(self._predictor, self._batch(work, asked, makers)))

    def _batch(
        self,
        work: PartWork,
        planned_images: Sequence[PlannedImage],
        makers: Sequence[Callable[[], Image]],
    ) -> Batch:
        ids = [_id(item) for item, _ in planned_images]
        keys = LazySequence(
            [partial(self._keys.key, item.challenge, variant) for item, variant in planned_images]
        )
        metadata = None
        if work.metadata is not None:
            metadata = [work.metadata[challenge_id] for challenge_id in ids]
        return Batch(ids, LazySequence(makers), metadata, keys)


def _image_of_whole_part(images: PartImages, index: int) -> Image:
    """An image of a part none of which was left out; else the first reason why one has to be.

    At the first look: a candidate asked again has then done nothing that it does twice.
    """
    for failure in images.failures.values():
        raise failure
    return images.image(index)


def images_of(part: Sequence[Planned]) -> list[PlannedImage]:
    """Every image of a part's challenges, in order."""
    return [(item, variant) for item in part for variant in item.variants]


def _id(item: Planned) -> str:
    return item.challenge.challenge_id
