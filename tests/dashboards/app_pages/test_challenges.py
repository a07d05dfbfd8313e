"""The Challenges page on empty, damaged, small and hostile stores."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from dashboards.challenges.rebuilt_image import rebuilt_image
from dashboards.parts.store_access import images_version
from data.store import STORE_VARIABLE, Store
from replay.rebuilding.variants import UNDISTORTED
from tests.conftest import GOLDEN
from tests.dashboards.conftest import change
from tests.dashboards.page import HOSTILE, plain, rendered, table, the_page


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def test_store_that_does_not_exist_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))

    page = the_page("challenges")

    assert not page.exception
    assert "holds no logs yet" in rendered(page)


def test_store_without_a_run_names_the_command_and_shows_answers(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")

    page = the_page("challenges")

    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)
    assert len(table(page, "Slot")) == 10


def test_image_is_the_one_that_miners_got(store: Store) -> None:
    expected = [
        json.loads(line) for line in (GOLDEN / "e9" / "expected.jsonl").read_text().splitlines()
    ]
    position = next(index for index, line in enumerate(expected) if line["level"] == 1)
    with reading(store) as connection:
        challenge = stored_challenges(connection)[position]

    shown = rebuilt_image(images_version(store), challenge, UNDISTORTED)

    assert shown.png is not None
    assert shown.size == (224, 224)
    jpeg = sorted((GOLDEN / "e9" / "jpeg").iterdir())
    sent = np.asarray(Image.open(next(p for p in jpeg if int(p.stem) == position)).convert("RGB"))
    pixels = np.asarray(Image.open(io.BytesIO(shown.png)))[::2, ::2]
    # JPEG bytes may differ with the libjpeg in use
    assert np.abs(pixels.astype(int) - sent).mean() < 1


def test_viewer_opens_on_an_image_and_finds_by_id(store: Store) -> None:
    page = the_page("challenges")
    assert len(page.get("image")) == 1
    with reading(store) as connection:
        [(wanted,)] = connection.execute(
            "SELECT challenge_id FROM media WHERE aug_level = 3 ORDER BY position LIMIT 1"
        ).fetchall()

    page.text_input[0].set_value(wanted[:8]).run()

    assert not page.exception
    assert page.selectbox[-1].value == wanted
    assert len(page.get("image")) == 1
    assert "one of several possible images" in rendered(page)
    variant = page.slider[-1]
    assert (variant.min, variant.max) == (1, 16)
    variant.set_value(16).run()
    assert not page.exception
    assert "Distortions: " in rendered(page)
    assert wanted in set(table(page, "Why empty")["Value"])


def test_filters_without_a_match_say_so(store: Store) -> None:
    page = the_page("challenges")

    page.text_input[0].set_value("zz").run()

    assert not page.exception
    assert "None of 60 challenges matches" in rendered(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    columns = ("media.city", "media.source", "media.parquet", "media.file", "responses.hotkey")
    for relation, column in (name.split(".") for name in (*columns, "replay_runs.model")):
        change(store, f"UPDATE {relation} SET {column} = '{HOSTILE}'")  # noqa: S608
    change(store, "UPDATE responses SET prediction = 1e300 WHERE slot = 0")

    page = the_page("challenges")

    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in set(table(page, "Why empty")["Value"])
    assert HOSTILE in plain(page)
