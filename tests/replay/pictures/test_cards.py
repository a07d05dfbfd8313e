"""What a card of a contact sheet holds."""

from typing import Any

import numpy as np
import pytest

from data.store import Store
from replay.pictures.cards import (
    most_probable,
)
from replay.rebuilding.fidelity import Fidelity
from replay.rebuilding.rebuild import DistinctImage, Rebuilder, RebuiltImage
from tests.replay.pictures.contact_sheets import cards_of, level
from tests.worlds.stores import World, encoded, picture, write_shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def test_a_card_holds_source_outline_image_and_variants(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    for number in (1, 2, 3):
        world.ask(0, **level(number))
    exact, mild, strong = cards_of(world)
    rebuilder = Rebuilder(world.shards)
    for card in (exact, mild, strong):
        assert card.source is not None
        assert card.rebuilt is not None
        assert card.placement is not None
        assert np.array_equal(card.source.pixels, np.asarray(picture((320, 240))))
        undistorted = rebuilder.rebuild(card.planned.challenge).decoded()
        assert np.array_equal(card.rebuilt.pixels, undistorted)
    assert (exact.planned.fidelity, exact.variants, exact.image_count) == (Fidelity.EXACT, (), 1)
    assert [one.weight for one in mild.variants] == [1 / 8] * 8
    assert not any(one.noisy for one in mild.variants)
    assert (len(strong.variants), strong.image_count) == (8, 16)
    # noise in two thirds of the 16, so in two thirds of the 8
    assert sum(one.noisy for one in strong.variants) in (5, 6)


def merged(*weights: float) -> list[DistinctImage]:
    blank = RebuiltImage(np.zeros((1, 1, 3), np.uint8), b"")
    return [DistinctImage(blank, weight, noisy=place > 1) for place, weight in enumerate(weights)]


def test_the_most_probable_come_first_and_equals_are_taken_evenly() -> None:
    images = merged(0.1, 0.4, 0.1, 0.1, 0.2, 0.1)
    first, second, *rest = most_probable(images, 4)
    assert (first, second) == (images[1], images[4])
    assert rest == [images[0], images[3]]
    assert most_probable(images, 6)[:2] == [images[1], images[4]]
    assert most_probable(images[:1], 6) == images[:1]
    assert most_probable([], 6) == []


def test_a_sum_of_weights_ties_with_its_equal(world: World) -> None:
    images = merged(0.3, 0.1 + 0.2, 0.4)
    assert most_probable(images, 3) == [images[2], images[0], images[1]]
