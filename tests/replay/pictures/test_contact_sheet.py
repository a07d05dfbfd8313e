"""The contact sheet: what is on it, how it looks to a program, and what it says of bad input."""

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from data.errors import StreetReplayError
from data.sources.shards import Shards
from data.store import Store
from replay.augmentation.augment import Pixels
from replay.commands.render import app
from replay.pictures.cards import (
    Card,
    SheetSettings,
)
from replay.pictures.contact_sheet import check_sheet, draw_sheet
from replay.pictures.page import draw_page, drawable
from replay.plans.plan import Planned, plan
from replay.rebuilding.fidelity import Fidelity, Reason
from tests.replay.pictures.contact_sheets import cards_of, level, words_of
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard

CUT = (255, 10, 138)


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


# as streetreplay.py mounts it
application = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


application.add_typer(app)


def rendered(world: World, out: Path, *words: object) -> Any:
    store = ["--store", str(world.store.root), "--out", str(out)]
    result = CliRunner().invoke(application, ["render", *store, *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def pixels_of(figure: Figure) -> Pixels:
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    return np.asarray(Image.open(stream).convert("RGB"))


def saved(path: Path) -> Pixels:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def test_a_crop_outside_shows_where_it_would_have_been(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, **level_1(5.0, [10, 200, 200, 200]))
    world.ask(0, **level_1(5.0, [0, 10**9, 200, 200]))
    world.ask(0, source="synthetic", **LEVEL_0)
    outside, far, synthetic = cards_of(world)
    assert outside.planned.reason is far.planned.reason is Reason.CROP_OUTSIDE
    assert outside.source is not None
    assert outside.placement is not None
    assert outside.placement.overhangs
    assert outside.rebuilt is None
    assert (synthetic.source, synthetic.planned.reason) == (None, Reason.SYNTHETIC)
    words = words_of(draw_page([outside, far, synthetic], ""))
    assert "No image: crop outside the image" in words
    assert "No image: synthetic source" in words
    # a hostile crop leaves its source in sight
    figure = draw_page([far], "")
    axes = next(axes for axes in figure.axes if len(axes.images) == 2)
    assert axes.get_xlim() == (0, 320 + 1.5 * 320)
    pixels = pixels_of(figure)
    # and no line leaves its place
    below, beside = pixels[200:], pixels[200:, pixels.shape[1] // 2 :]
    assert near(below, (255, 255, 255)).any()
    assert not near(beside, CUT).any()


def near(pixels: Any, color: Any) -> Any:
    return np.abs(pixels.astype(int) - color).max(axis=-1) < 24


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (4032, 3024), (900, 80), (80, 900)])
def test_the_outline_is_as_wide_on_any_source(world: World, size: tuple[int, int]) -> None:
    write_shard(world.store.sources, [encoded(picture(size, "L"), "PNG")])
    side = min(size) * 3 // 4
    world.ask(0, size=size, **level_1(10.0, [0, 0, side, side]))
    (card,) = cards_of(world)
    figure = draw_page([card], "")
    source_axes = next(axes for axes in figure.axes if len(axes.images) == 2)
    pixels = pixels_of(figure)
    marked = near(pixels, CUT)
    assert card.placement is not None
    corners = source_axes.transData.transform(card.placement.outline)
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        # across the middle of each side, 12 pixels to either side
        along = (end - start) / np.linalg.norm(end - start)
        across = np.linspace(-12, 12, 97)[:, None] * along[::-1] * (1, -1) + (start + end) / 2
        columns = across[:, 0].astype(int)
        rows = (pixels.shape[0] - across[:, 1]).astype(int)
        assert 2 <= marked[rows, columns].sum() / 4 <= 5


def test_what_lies_outside_the_source_is_black_as_in_what_was_sent(world: World) -> None:
    white = Image.new("RGB", (320, 240), "white")
    write_shard(world.store.sources, [encoded(white, "PNG")])
    world.ask(0, **level_1(20.0, [0, 0, 240, 240]))
    world.ask(0, **level_1(0.0, [0, 0, 240, 240]))
    turned, straight = cards_of(world)
    black = [near(pixels_of(draw_page([card], "")), (0, 0, 0)) for card in (turned, straight)]
    # the rebuilt image and the outline show the same black, each at its own scale
    assert black[0].sum() > black[1].sum() + 5_000


def test_text_of_a_log_is_text(world: World) -> None:
    shard = "$\\frac{1}{0}$ ^_ \u4e2d\x1b[31m\u202e\ud83d\ude00.parquet"
    world.ask(0, source="synthetic", **LEVEL_0)
    (card,) = cards_of(world)
    challenge = dataclasses.replace(card.planned.challenge, file="$x$", parquet=shard)
    planned = Planned(challenge, Fidelity.IMPOSSIBLE, (), Reason.SHARD_MISSING, shard)
    figure = draw_page([Card(planned)], shard)
    pixels_of(figure)  # mathtext would raise; a missing glyph would warn, an error here
    words = words_of(figure)
    assert words.count("$\\frac{1}{0}$") == 3
    assert "$x$ 0" in words
    assert "\\u4e2d" in words
    assert "\x1b" not in words
    assert not any(text.get_parse_math() for text in figure.texts)


def test_long_text_is_wrapped_and_cut() -> None:
    lines = drawable("x" * 500, 32, 96)
    assert [len(line) for line in lines] == [32, 32, 32]
    assert lines[-1].endswith("…")
    assert drawable("", 32) == [""]


def test_a_sheet_is_bounded_and_says_which_are_on_it(world: World, tmp_path: Path) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    for angle in range(5):
        world.ask(0, **level(1, float(angle)))
    planned = plan(world.ingest(), world.shards)
    path, calls = tmp_path / "sheet.png", []
    settings = SheetSettings(challenge_count=2)
    line = draw_sheet(planned, world.shards, path, settings, lambda: calls.append(1))
    assert line == (
        "2 of 5 challenges: the first in the order of the log, log.jsonl 0 to log.jsonl 1"
    )
    assert len(calls) == 2
    two = saved(path).shape
    assert draw_sheet(planned[:1], world.shards, path) == "1 of 1 challenges"
    assert saved(path).shape[0] < two[0]
    assert [file.name for file in tmp_path.glob("*sheet*")] == ["sheet.png"]
    assert draw_sheet(planned[:0], world.shards, path) == "0 of 0 challenges"


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".PNG", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_the_suffix_is_the_format(world: World, tmp_path: Path, suffix: str, magic: bytes) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, **level(2))
    world.ingest()
    path = tmp_path / "made" / f"sheet{suffix}"
    result = rendered(world, tmp_path / "out", "--sheet", path, "--json")
    assert path.read_bytes().startswith(magic)
    assert [json.loads(line)["fidelity"] for line in result.stdout.splitlines()] == ["distribution"]
    assert f"contact sheet {path}: 1 of 1 challenges" in result.stderr


def test_another_size_is_shown_as_such(world: World, tmp_path: Path) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)), "PNG")])
    world.ask(0, **level(3))
    (card,) = cards_of(world, side=448)
    assert (card.planned.fidelity, card.variants) == (Fidelity.UNSEEN, ())
    assert card.rebuilt is not None
    assert card.rebuilt.size == (448, 448)
    assert "No miner saw this size" in words_of(draw_page([card], ""))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sheet.bmp", "found suffix .bmp; expected one of .png .pdf .svg"),
        ("sheet", "found no suffix"),
        ("folder.png", "found a folder"),
        ("file/sheet.png", "expected a file that can be written"),
        (f"{'n' * 300}.png", "expected a file that can be written"),
    ],
)
def test_a_sheet_that_cannot_be_written_is_one_line_before_the_work(
    world: World, tmp_path: Path, name: str, found: str
) -> None:
    world.ask(0, **LEVEL_0)
    world.ingest()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StreetReplayError, match=found) as raised:
        rendered(world, tmp_path / "out", "--sheet", tmp_path / name)
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_a_check_leaves_an_earlier_sheet_alone(tmp_path: Path) -> None:
    earlier = tmp_path / "sheet.png"
    earlier.write_bytes(b"earlier")
    check_sheet(earlier)
    assert earlier.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [earlier]


@pytest.mark.parametrize("era", ["e5", "e7", "e9"])
def test_a_sheet_of_the_golden_challenges(
    store: Store, golden: Path, tmp_path: Path, era: str
) -> None:
    ingest(store, [golden / era / "challenges.jsonl"])
    with reading(store) as connection:
        challenges = stored_challenges(connection, ChallengeSelection(limit=4))
    shards = Shards(golden / era / "sources")
    path = tmp_path / "sheet.png"
    assert draw_sheet(plan(challenges, shards), shards, path) == "4 of 4 challenges"
    pixels = saved(path)
    assert near(pixels, CUT).sum() > 4 * 500
