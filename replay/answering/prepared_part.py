"""A part of a replay with its images: those that the candidate needs, and those it knows by key."""

from collections.abc import Mapping, Sequence
from functools import partial

from replay.answering.image_workers import ImageBuilder, PartImages, PlannedImage
from replay.answering.part_work import PartWork
from replay.candidates.predictor import Batch, Image, LazySequence
from replay.plans.plan import Planned
from replay.rebuilding.rebuild import CannotRebuildError


class PreparedPart:
    """A part and its images: needed ones are built, others once the candidate looks at one."""

    def __init__(
        self,
        work: PartWork,
        build: ImageBuilder,
        image_keys: Sequence[str],
        known_keys: frozenset[str] | None,
    ) -> None:
        """Build nothing yet.

        Args:
            work: the part.
            build: makes its images.
            image_keys: of each of `images_of` its challenges.
            known_keys: those whose images the candidate need not see; None: it needs all.
        """
        self.work, self._image_keys, self._build = work, image_keys, build
        self._planned_images = images_of(work.challenges)
        needed: list[PlannedImage] = []
        others: list[PlannedImage] = []
        # of each image: whether it is needed, and where it stands among those
        self._places: list[tuple[bool, int]] = []
        for index, planned_image in enumerate(self._planned_images):
            is_needed = known_keys is None or image_keys[index] not in known_keys
            same = needed if is_needed else others
            self._places.append((is_needed, len(same)))
            same.append(planned_image)
        self._needed, self._planned_others = build(needed), others
        self._others: PartImages | None = None

    def build_ahead(self) -> None:
        """Begin to build the needed images, where that can be done beside other work."""
        self._needed.build_ahead()

    @property
    def awaited(self) -> bool:
        """Whether others are building the needed images: the candidate would have to wait."""
        return self._needed.awaited

    def failures(self) -> Mapping[str, CannotRebuildError]:
        """By challenge, why its images cannot be rebuilt; all needed ones are built for that.

        Of the other images too once one of them was looked at.

        Raises:
            RunError: a worker process died.
        """
        of_others = {} if self._others is None else self._others.failures
        return {**of_others, **self._needed.failures}

    def batch(
        self, left_out: Mapping[str, CannotRebuildError]
    ) -> tuple[Sequence[PlannedImage], Batch]:
        """The images that are not of the challenges `left_out`, also as a batch for a candidate."""
        indices = [
            index
            for index, (item, _) in enumerate(self._planned_images)
            if item.challenge.challenge_id not in left_out
        ]
        asked = [self._planned_images[index] for index in indices]
        ids = [item.challenge.challenge_id for item, _ in asked]
        metadata = self.work.metadata
        return asked, Batch(
            challenge_ids=ids,
            images=LazySequence([partial(self._image, index) for index in indices]),
            metadata=None if metadata is None else [metadata[each] for each in ids],
            image_keys=LazySequence(
                [partial(self._image_keys.__getitem__, index) for index in indices]
            ),
        )

    def _image(self, index: int) -> Image:
        is_needed, place = self._places[index]
        if is_needed:
            return self._needed.image(place)
        if self._others is None:
            self._others = self._build(self._planned_others)
        return self._others.image(place)


def images_of(part: Sequence[Planned]) -> list[PlannedImage]:
    """Every image of a part's challenges, in order."""
    return [(item, variant) for item in part for variant in item.variants]
