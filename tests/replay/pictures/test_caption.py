"""What the caption beside a card says."""

from typing import Any

import pytest

from data.store import Store
from replay.pictures.caption import caption
from replay.pictures.page import draw_page
from tests.replay.pictures.contact_sheets import cards_of, level, words_of
from tests.worlds.stores import SHARD, World, encoded, level_1, picture, write_shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def test_captions_tell_what_was_recorded(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, label=1, **level_1(-12.345678, [1, 2, 200, 201], horizontal=True))
    world.ask(0, label=0, **level(3))
    exact, strong = cards_of(world)
    lines = caption(exact)
    assert dict(lines[:4])["label"] == "1, roadwork"
    for line in (
        ("fidelity", "exact"),
        ("shard", SHARD),
        ("row", "0"),
        ("size", "320 × 240"),
        ("angle", "-12.3457°"),
        ("crop", "top 1, left 2"),
        ("", "height 200, width 201"),
        ("flip", "horizontal"),
    ):
        assert line in lines
    assert ("images", "16 of 243 possible built") in caption(strong)
    assert ("", "8 shown, 50% of the weight") in caption(strong)
    words = words_of(draw_page([exact], "a heading"))
    assert "a heading" in words
    assert exact.planned.challenge.challenge_id in words
