"""Images that cannot be rebuilt: each is tried once, and costs the others of its part nothing."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from analytics.queries.user_sql import query
from data.store import Store
from replay.candidates.predictor import Batch, Predictions
from replay.plans.plan import plan
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import Rebuilder
from replay.runs.planned_run import PlannedRun
from replay.runs.run import Replay
from replay.settings import ReplaySettings, VariantSettings
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

ROWS = 48
PART = 12
PARTS = ROWS // PART
SETTINGS = ReplaySettings(challenges=PART)
VARIANTS = 5


@dataclass
class Counting:
    """A candidate that counts how often it is asked and sees images; its answers name their image.

    It remembers what it saw, and says what it knows.
    """

    begun: int = 0
    seen: int = 0
    known: dict[str, float] = field(default_factory=dict)
    name: str = "counting"
    fingerprint: str = "1"
    wants_metadata: bool = False

    def known_keys(self, image_keys: Sequence[str]) -> set[str]:
        return set(image_keys) & self.known.keys()

    def predict(self, batch: Batch) -> Predictions:
        self.begun += 1
        assert batch.image_keys is not None
        for place, key in enumerate(batch.image_keys):
            if key not in self.known:
                self.known[key] = batch.images[place].mean() / 255
                self.seen += 1
        return Predictions(np.array([self.known[key] for key in batch.image_keys]))


@contextmanager
def counted_rebuilds(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The challenges of all calls of `Rebuilder.rebuild` meanwhile."""
    rebuilt: list[str] = []
    rebuild = Rebuilder.rebuild

    def counted(self: Rebuilder, challenge: Any, *more: Any) -> Any:
        rebuilt.append(challenge.challenge_id)
        return rebuild(self, challenge, *more)

    with monkeypatch.context() as patched:
        patched.setattr(Rebuilder, "rebuild", counted)
        yield rebuilt


def world_of(store: Store, record: dict[str, Any], bad: set[int], **changes: Any) -> World:
    """A challenge a row of one shard, those of the `bad` rows on bytes that are no image."""
    world = World(store, record)
    write_rows(world, bad)
    for k in range(ROWS):
        world.ask(k, size=(16, 12), **(changes or LEVEL_0))
    return world


def write_rows(world: World, bad: set[int]) -> None:
    rows = [encoded(picture((16, 12), seed=k), "PNG") for k in range(ROWS)]
    write_shard(world.store.sources, [b"broken" if k in bad else row for k, row in enumerate(rows)])


def opened(
    world: World, candidate: Counting, variants: int | None = None, *, fresh: bool = False
) -> Replay:
    planned = plan(world.ingest(), world.shards, VariantSettings(variants))
    return Replay(world.store, candidate, PlannedRun(planned, world.shards, SETTINGS, fresh=fresh))


@pytest.mark.parametrize(
    "bad",
    [
        {0},
        {PART - 1},
        {5, 6, 7, 30},
        set(range(PART, 2 * PART)),
        set(range(0, ROWS, 2)),
        set(range(ROWS)) - {3, 20, 29, 44},
    ],
)
def test_a_candidate_is_asked_once_a_part_and_sees_each_good_image_once(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch, bad: set[int]
) -> None:
    world, candidate = world_of(store, record, bad), Counting()
    replay = opened(world, candidate)
    with counted_rebuilds(monkeypatch) as rebuilt:
        report = replay.run()
    good = set(range(ROWS)) - bad
    assert report.predicted == candidate.seen == len(good)
    assert report.left_out == {Reason.BYTES: len(bad)}
    assert len(rebuilt) == len(set(rebuilt)) == ROWS
    assert candidate.begun == len({row // PART for row in good})
    assert stored_answers(store) == expected_answers(world, good)


def stored_answers(store: Store) -> dict[str, float]:
    answered = "SELECT challenge_id, probability FROM replay_predictions WHERE probability NOTNULL"
    return dict(query(store, answered).rows)


def expected_answers(world: World, rows: set[int]) -> dict[str, float]:
    """By challenge, the brightness of its own image, each rebuilt by itself."""
    rebuilder = Rebuilder(world.shards)
    return {
        challenge.challenge_id: rebuilder.rebuild(challenge).decoded().mean() / 255
        for challenge in world.ingest()
        if challenge.row in rows
    }


def test_a_run_opened_again_tries_the_bad_images_once_and_asks_nobody(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = set(range(1, ROWS, 3))
    world = world_of(store, record, bad)
    report = opened(world, Counting()).run()
    for _ in range(2):
        again = Counting()
        replay = opened(world, again)
        assert replay.opened.retried == len(bad)
        with counted_rebuilds(monkeypatch) as rebuilt:
            assert replay.run() == report
        assert len(rebuilt) == len(set(rebuilt)) == len(bad)
        assert again.begun == 0


def test_a_challenge_whose_images_are_many_and_bad_is_tried_once(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = set(range(0, ROWS, 4))
    changes = {**level_1(3.0, [1, 1, 10, 10]), "data_aug_level": 3}
    world, candidate = world_of(store, record, bad, **changes), Counting()
    replay = opened(world, candidate, VARIANTS)
    with counted_rebuilds(monkeypatch) as rebuilt:
        report = replay.run()
    assert report.images == VARIANTS * (ROWS - len(bad))
    assert len(rebuilt) == report.images + len(bad)
    assert candidate.begun == PARTS


def test_what_the_candidate_knows_already_is_neither_rebuilt_nor_missed(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a checkpoint does whose features are all in the cache: no source is looked at."""
    world, candidate = world_of(store, record, set()), Counting()
    whole = opened(world, candidate).run()
    known = candidate.known
    for part in (store.runs / whole.run_id / "parts").iterdir():
        part.unlink()
    monkeypatch.setattr(Rebuilder, "rebuild", None)
    knowing = Counting(known=known)
    assert opened(world, knowing).run() == whole
    assert knowing.begun == PARTS


def test_of_a_part_that_is_mostly_known_only_the_rest_is_rebuilt(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, candidate = world_of(store, record, set()), Counting()
    opened(world, candidate).run()
    lost = set(list(candidate.known)[::5])
    knowing = Counting(known={key: candidate.known[key] for key in candidate.known.keys() - lost})
    replay = opened(world, knowing, fresh=True)
    with counted_rebuilds(monkeypatch) as rebuilt:
        report = replay.run()
    assert (report.predicted, knowing.begun) == (ROWS, PARTS)
    assert len(rebuilt) == len(set(rebuilt)) == knowing.seen == len(lost)
    assert stored_answers(store) == expected_answers(world, set(range(ROWS)))


class Forgetful(Counting):
    """Says that it knows every image, as of a cache that is emptied then."""

    def known_keys(self, image_keys: Sequence[str]) -> set[str]:
        return set(image_keys)


def test_images_that_a_candidate_knows_no_more_are_rebuilt_when_it_looks(
    store: Store, record: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = set(range(0, ROWS, 3))
    world, candidate = world_of(store, record, bad), Forgetful()
    replay = opened(world, candidate)
    with counted_rebuilds(monkeypatch) as rebuilt:
        report = replay.run()
    assert report.left_out == {Reason.BYTES: len(bad)}
    assert len(rebuilt) == len(set(rebuilt)) == ROWS
    assert candidate.begun == 2 * PARTS
    assert stored_answers(store) == expected_answers(world, set(range(ROWS)) - bad)
