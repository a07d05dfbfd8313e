"""Cards of challenges, and the words on a drawn contact sheet."""

from typing import Any

from matplotlib.figure import Figure

from replay.pictures.cards import (
    Card,
    SheetSettings,
    collect_cards,
)
from replay.pictures.jpeg_files import RenderSettings
from replay.plans.plan import plan
from replay.settings import VariantSettings
from tests.worlds.stores import World, level_1


def level(number: int, angle: float = 9.0) -> dict[str, Any]:
    return level_1(angle, [10, 30, 200, 200]) | {"data_aug_level": number}


def cards_of(world: World, variants: int | None = 16, side: int = 224) -> list[Card]:
    challenges = world.ingest()
    planned = plan(challenges, world.shards, VariantSettings(variants))
    return collect_cards(planned, world.shards, SheetSettings(rendering=RenderSettings(side=side)))


def words_of(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.texts)
