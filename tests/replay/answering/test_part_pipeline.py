"""Parts follow one another without a gap for the device, and answers are those of one at a time."""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pytest

from data.errors import RunError
from data.store import Store
from replay.answering.image_workers import ImageBuilder, PartImages, PlannedImage, image_builder
from replay.answering.part_pipeline import answers
from replay.answering.part_predictor import PartPredictor
from replay.answering.part_work import PartAnswer, PartWork
from replay.candidates.predictor import Batch, Predictions, Predictor
from replay.plans.plan import plan
from replay.rebuilding.image_keys import ImageKeys
from replay.settings import Arithmetic
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

PART, PARTS = 3, 5
NEVER = 10**9
SIZE = (64, 48)


@dataclass
class Device:
    """A candidate whose device answers when it is told to; `events` says what happened, in order.

    A part is called by its number.
    """

    events: list[tuple[str, int]] = field(default_factory=list)
    fails_at: int | None = None
    polls_before_done: int = NEVER
    name: str = "device"
    fingerprint: str = "1"
    wants_metadata: bool = False
    begun: int = 0

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.array([image.mean() / 255 for image in batch.images]))

    def begin_predict(self, batch: Batch) -> "Computing":
        if self.begun == self.fails_at:
            raise RunError("device", found="a part", expected="another")
        computed = self.predict(batch)
        self.events.append(("begun", self.begun))
        self.begun += 1
        return Computing(self, self.begun - 1, computed)


@dataclass
class Computing:
    """Answers that are done after some polls, or when they are waited for."""

    device: Device
    number: int
    computed: Predictions
    polls: int = 0

    def done(self) -> bool:
        self.polls += 1
        return self.polls > self.device.polls_before_done

    def result(self) -> Predictions:
        self.device.events.append(("answered", self.number))
        return self.computed


class Recorded(PartImages):
    """Images of a part, whose building is an event too."""

    def __init__(self, events: list[tuple[str, int]], number: int, images: PartImages) -> None:
        self._events, self._number, self._images = events, number, images

    def build_ahead(self) -> None:
        if ("built", self._number) not in self._events:
            self._events.append(("built", self._number))

    @cached_property
    def _built(self) -> Sequence[Any]:
        return self._images._built


def recording(build: ImageBuilder, events: list[tuple[str, int]]) -> ImageBuilder:
    numbers = iter(range(PARTS))

    def recorded(planned: Sequence[PlannedImage]) -> PartImages:
        number, images = next(numbers), build(planned)
        return Recorded(events, number, images) if planned else images

    return recorded


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    made = World(store, record)
    write_shard(store.sources, [encoded(picture(SIZE, seed=k)) for k in range(PART * PARTS)])
    for k in range(PART * PARTS):
        made.ask(k, size=SIZE, **(LEVEL_0 if k % 2 else level_1(float(k), [0, k, 20, 20])))
    return made


def parts_of(world: World) -> list[PartWork]:
    planned = list(plan(world.ingest(), world.shards))
    return [PartWork(k, planned[PART * k : PART * (k + 1)]) for k in range(PARTS)]


def answered(
    world: World, candidate: Predictor, events: list[tuple[str, int]] | None = None
) -> list[PartAnswer]:
    keys = ImageKeys(world.shards, 0, Arithmetic.AVX2)
    kept: list[PartAnswer] = []
    with image_builder(world.shards, 0, 1) as build:
        recorded = build if events is None else recording(build, events)
        for answer in answers(iter(parts_of(world)), recorded, PartPredictor(candidate, keys)):
            kept.append(answer)
            if events is not None:
                events.append(("kept", answer.index))
    return kept


class Plain(Device):
    """The same candidate, which answers at once."""

    begin_predict = None  # type: ignore[assignment]


def test_answers_are_those_of_one_part_at_a_time(world: World) -> None:
    expected = answered(world, Plain())
    assert [answer.index for answer in expected] == list(range(PARTS))
    for polls in (0, NEVER):
        assert answered(world, Device(polls_before_done=polls)) == expected


def test_a_part_is_begun_before_the_answers_to_the_last_one_are_waited_for(world: World) -> None:
    device = Device()
    answered(world, device, device.events)
    begun = [place for place, (what, _) in enumerate(device.events) if what == "begun"]
    for number in range(PARTS - 1):
        assert device.events.index(("answered", number)) == begun[number + 1] + 1
        assert device.events[begun[number + 1] + 2] == ("kept", number)


def test_what_is_answered_already_is_kept_before_the_next_part_is_begun(world: World) -> None:
    device = Device(polls_before_done=0)
    answered(world, device, device.events)
    for number in range(PARTS - 1):
        kept = device.events.index(("kept", number))
        assert kept < device.events.index(("begun", number + 1))


def test_the_images_of_a_part_and_of_the_next_two_are_begun_before_it(world: World) -> None:
    events: list[tuple[str, int]] = []
    looking = Plain(events=events)
    answered(world, looking, events)
    assert events[:4] == [("built", 0), ("built", 1), ("built", 2), ("kept", 0)]
    # two parts ahead, never more: memory holds no more of them
    assert events[4:6] == [("built", 3), ("kept", 1)]


class Blind(Plain):
    """Looks at no image, and says so."""

    def known_keys(self, image_keys: Sequence[str]) -> Sequence[str]:
        return image_keys

    def predict(self, batch: Batch) -> Predictions:
        return Predictions(np.full(len(batch.challenge_ids), 0.5))


def test_nothing_is_built_for_a_candidate_that_looks_at_nothing(world: World) -> None:
    events: list[tuple[str, int]] = []
    answered(world, Blind(), events)
    assert events == [("kept", number) for number in range(PARTS)]


def test_what_was_begun_is_kept_when_the_next_part_fails(world: World) -> None:
    device = Device(fails_at=2)
    with pytest.raises(RunError, match="found a part"):
        answered(world, device, device.events)
    assert [event for event in device.events if event[0] == "kept"] == [("kept", 0), ("kept", 1)]


def test_what_comes_before_a_part_that_cannot_be_prepared_is_kept(world: World) -> None:
    class Forgetful(Device):
        asked = 0

        def known_keys(self, image_keys: Sequence[str]) -> Sequence[str]:
            self.asked += 1
            if self.asked == PARTS:
                raise RunError("cache", found="nothing", expected="keys")
            return ()

    device = Forgetful()
    with pytest.raises(RunError, match="found nothing"):
        answered(world, device, device.events)
    kept = [number for what, number in device.events if what == "kept"]
    assert kept == list(range(PARTS - 1))


@dataclass
class Awaited:
    """A property of images that others build for some polls, then have built."""

    polls: int

    def __get__(self, *_: object) -> bool:
        self.polls -= 1
        return self.polls >= 0


def test_answers_are_written_while_the_next_images_are_awaited(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then the device has nothing to do anyway; else the next part is begun first."""
    for polls, done_after, expected in ((5, 2, "kept"), (2, 5, "begun")):
        device = Device(polls_before_done=done_after)
        monkeypatch.setattr(PartImages, "awaited", Awaited(polls))
        answered(world, device, device.events)
        first = device.events.index(("begun", 0))
        following = [what for what, _ in device.events[first + 1 :] if what in ("kept", "begun")]
        assert following[0] == expected


def test_a_future_is_what_a_candidate_may_return(world: World) -> None:
    class Threaded(Device):
        def begin_predict(self, batch: Batch) -> Future[Predictions]:  # type: ignore[override]
            future: Future[Predictions] = Future()
            future.set_result(self.predict(batch))
            return future

    assert answered(world, Threaded()) == answered(world, Plain())
