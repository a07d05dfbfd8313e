"""Predicts the images of a part; those that cannot be rebuilt are left out, with the reason."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from data.errors import SourceAccessError, StreetReplayError
from replay.answering.image_workers import ImageBuilder, PartImages, PlannedImage
from replay.answering.part_file import encoded_part
from replay.answering.part_rows import Row, answer_rows, in_plan_order, part_row
from replay.answering.part_work import PartWork
from replay.candidates.predictor import Batch, Image, LazySequence, Predictor, batch_size
from replay.plans.plan import Planned
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.image_keys import ImageKeys
from replay.rebuilding.rebuild import CannotRebuildError


class PartPredictor:
    """A candidate, with the keys of the images that its batches need."""

    def __init__(self, predictor: Predictor, keys: ImageKeys) -> None:
        """Nothing is read yet."""
        self._predictor, self._keys = predictor, keys

    def answer(self, work: PartWork, images: PartImages) -> bytes:
        """The part's file: one row an image, and one for a challenge where there is none.

        Args:
            work: the part.
            images: of `images_of` its challenges.

        Raises:
            RunError: the candidate answered something that is no probability.
        """
        if work.retried:
            # They could not be rebuilt before: not worth a candidate's time until they can.
            _ = images.failures
        return encoded_part(in_plan_order(work.challenges, self._rows(work, images)))

    def _rows(self, work: PartWork, images: PartImages) -> list[Row]:
        part = work.challenges
        failures = images.failures if images.looked_at else {}
        answered: list[Row] | None = None
        if not failures:
            answered = self._ask_all(work, images)
            failures = images.failures if images.looked_at else {}
        if answered is None or failures:
            answered = self._ask(work, images, failures)
        unanswered = [part_row(item) for item in part if not item.variants or _id(item) in failures]
        for row in unanswered:
            if (failure := failures.get(row["challenge_id"])) is not None:
                row |= {"fidelity": Fidelity.IMPOSSIBLE, "reason": failure.reason}
        return unanswered + answered

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

    def _ask_all(self, work: PartWork, images: PartImages) -> list[Row] | None:
        """The answers; None if some image cannot be rebuilt, as the first look at one showed."""
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
    ) -> list[Row]:
        """The answers to all images but those of the challenges `left_out`."""
        planned_images = images_of(work.challenges)
        indices = [
            index for index, (item, _) in enumerate(planned_images) if _id(item) not in left_out
        ]
        if not indices:
            return []
        asked = [planned_images[index] for index in indices]
        image = images.image if left_out else partial(_image_of_whole_part, images)
        makers = [partial(image, index) for index in indices]
        predictions = self._predictor.predict(self._batch(work, asked, makers))
        return answer_rows(asked, predictions, self._predictor.name)

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
