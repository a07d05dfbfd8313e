"""Predicts the images of a part; those that cannot be rebuilt are left out, with the reason."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from data.errors import SourceAccessError, StreetReplayError
from replay.answering.image_workers import ImageBuilder, PlannedImage
from replay.answering.part_file import encoded_part
from replay.answering.part_rows import Row, answer_rows, in_plan_order, part_row
from replay.answering.part_work import PartAnswer, PartWork
from replay.answering.prepared_part import PreparedPart, images_of
from replay.candidates.predictor import (
    BegunPredictions,
    LazySequence,
    Predictor,
    batch_size,
    begin_predict,
    known_keys,
)
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
        rows: list[Row] = []
        for item in self.work.challenges:
            failure = self.failures.get(item.challenge.challenge_id)
            if failure is not None:
                failed = {"fidelity": Fidelity.IMPOSSIBLE, "reason": failure.reason}
                rows.append(part_row(item) | failed)
            elif not item.variants:
                rows.append(part_row(item))
        return rows


class PartPredictor:
    """A candidate, with the keys by which it may know images."""

    def __init__(self, predictor: Predictor, keys: ImageKeys) -> None:
        """Nothing is read yet."""
        self._predictor, self._keys = predictor, keys

    def prepare(self, work: PartWork, build: ImageBuilder) -> PreparedPart:
        """A part with the images that the candidate needs of it; none is built yet.

        Raises:
            RunError: the candidate cannot say which images it knows.
        """
        keys: Sequence[str] = LazySequence(
            [
                partial(self._keys.key, item.challenge, variant)
                for item, variant in images_of(work.challenges)
            ]
        )
        ask = known_keys(self._predictor)
        if ask is None:
            return PreparedPart(work, build, keys, None)
        keys = list(keys)
        return PreparedPart(work, build, keys, frozenset(ask(keys)))

    def begin(self, part: PreparedPart) -> BegunPart:
        """Let the candidate begin with a part; its images are not needed any more then.

        It is asked once, about the images that can be rebuilt: its protocol says how many they are
        before it sees the first.

        Raises:
            RunError: the candidate cannot answer, or a process that rebuilds images died.
        """
        failures = part.failures()
        asked: _Asked | None = None
        try:
            asked = self._ask(part, failures)
        except SourceAccessError:
            raise
        except StreetReplayError:
            # whatever a candidate makes of an image that fails: it is no fault of the candidate's
            if len(part.failures()) == len(failures):
                raise
        further = part.failures()
        if asked is None or len(further) > len(failures):
            # it looked at images that it had said it knows, as where its cache lost them since
            asked = self._ask(part, further)
        return BegunPart(part.work, further, asked, self._predictor.name)

    def time_image(
        self, build: ImageBuilder, work: PartWork, variant_index: int
    ) -> tuple[float, float]:
        """Predict one image of a part's first challenge: the seconds to rebuild it, and the rest.

        See `forecast.TimeImage`. Of the rest, an image's share of the batch that a candidate fills
        up.
        """
        item = work.challenges[0]
        single = replace(item, variants=(item.variants[variant_index],))
        start = time.perf_counter()
        part = self.prepare(replace(work, challenges=[single]), build)
        part.failures()
        rebuilt = time.perf_counter()
        self.begin(part).answer()
        rest = time.perf_counter() - rebuilt
        return rebuilt - start, rest / batch_size(self._predictor)

    def _ask(self, part: PreparedPart, left_out: Mapping[str, CannotRebuildError]) -> _Asked:
        """All images but those of the challenges `left_out`."""
        images, batch = part.batch(left_out)
        return _Asked(images, begin_predict(self._predictor, batch) if images else None)
