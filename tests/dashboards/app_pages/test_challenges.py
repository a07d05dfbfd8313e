"""The Challenges page on empty, damaged, small and hostile stores."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from dashboards.challenges.rebuilt_image import rebuilt_image
from dashboards.parts.store_access import images_version
from data.store import STORE_VARIABLE, Store
from replay.rebuilding.variants import UNDISTORTED
from tests.conftest import GOLDEN
from tests.dashboards.conftest import change
from tests.dashboards.page import (
    HOSTILE,
    charts,
    plain,
    press,
    rendered,
    table,
    tables,
    the_page,
)


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


def ids_of(store: Store, condition: str = "true") -> list[str]:
    """Ids of challenges in the order of the list."""
    with reading(store) as connection:
        rows = connection.execute(
            f"SELECT challenge_id FROM media WHERE {condition} "  # noqa: S608
            "ORDER BY time NULLS LAST, file, position, challenge_id"
        ).fetchall()
    return [row[0] for row in rows]


def listed(page: AppTest) -> list[str]:
    return list(table(page, "Challenge")["Challenge"])


def test_store_without_a_run_names_the_command_and_lists_challenges(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")

    page = the_page("challenges")

    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)
    assert "No replay is shown beside them" in rendered(page)
    assert listed(page) == ids_of(store)[:20]
    assert "Fidelity" not in table(page, "Challenge")
    assert page.selectbox(key="candidate").disabled
    assert page.multiselect(key="fidelities").disabled


def test_the_first_sentence_counts_and_compares(store: Store) -> None:
    with reading(store) as connection:
        answers = connection.execute(
            "SELECT prediction, label FROM responses JOIN media USING (challenge_id) "
            "WHERE aug_level < 2 AND prediction <> -1"
        ).fetchall()
        [(answered,)] = connection.execute(
            "SELECT count(*) FROM media WHERE aug_level < 2"
        ).fetchall()
    right = sum(round(prediction) == label for prediction, label in answers)

    page = the_page("challenges")

    text = rendered(page)
    assert "**60 of 60** challenges match" in text
    assert "right on **100.0%** (fewer than 10 source images: no interval)" in text
    assert f"of the {answered} that it answered, miners on **{right / len(answers):.1%}**" in text
    assert f"({len(answers):,} answers" in text
    assert f"Left out of the shares: {60 - answered} challenges" in plain(page)


FILTERS = {
    "scored": ("1 · roadwork", "label = 1"),
    "levels": ("3", "aug_level = 3"),
    "cities": ("boston", "city = 'boston'"),
    "eras": ("E9", "era = 'E9'"),
    "sources": ("real", "source = 'real'"),
    "fidelities": ("impossible", "aug_level >= 2"),
    "candidate": ("no answer", "aug_level >= 2"),
    "id_prefix": ("A", "starts_with(challenge_id, 'a')"),
    "of_miner": ("17", "challenge_id IN (SELECT challenge_id FROM responses WHERE uid = 17)"),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_link_holds_each_filter(store: Store, name: str) -> None:
    change(store, "UPDATE media SET city = 'boston' WHERE position % 4 = 0")
    value, condition = FILTERS[name]
    expected = ids_of(store, condition)
    assert len(expected) > 0

    page = the_page("challenges", **{name: value})

    assert not page.exception
    assert f"**{len(expected)} of 60** challenges match" in rendered(page)
    assert listed(page) == expected[:20]


def test_pages_of_the_list_hold_every_challenge_once(store: Store) -> None:
    pages = [listed(the_page("challenges", list_page=str(number))) for number in (1, 2, 3)]
    assert [one for page in pages for one in page] == ids_of(store)


def test_a_filter_by_outcome_is_told_and_gives_no_interval(store: Store) -> None:
    page = the_page("challenges", candidate="right")
    assert "The filter itself chooses by who was right" in rendered(page)
    assert "95% " not in page.markdown[0].value


def test_a_filter_that_cannot_be_read_leaves_the_page_alive(store: Store) -> None:
    page = the_page("challenges", of_miner="<b>x</b>")
    assert not page.exception
    assert "miner: found '<b>x</b>'; expected UID or UID:HOTKEY" in plain(page)
    assert "<b>" not in rendered(page)
    page.text_input(key="of_miner").set_value("").run()
    assert "**60 of 60** challenges match" in rendered(page)


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


def test_a_link_opens_a_challenge_and_steps_go_to_its_neighbours(store: Store) -> None:
    ids = ids_of(store)

    page = the_page("challenges", challenge=ids[5])

    assert not page.exception
    assert ids[5] in plain(page)
    assert ids[5] in set(table(page, "Why empty")["Value"])
    assert "Number 6 of the list" in rendered(page)
    assert len(table(page, "Slot")) == 10
    press(page, "next")
    assert page.query_params["challenge"] == ids[6]
    press(press(page, "previous"), "previous")
    assert ids[4] in plain(page)
    press(page, "close")
    assert "challenge" not in page.query_params
    assert "Slot" not in {column for shown in tables(page) for column in shown}


def test_the_ends_of_the_list_have_no_neighbour(store: Store) -> None:
    ids = ids_of(store)
    for position, name in ((0, "previous"), (-1, "next")):
        page = the_page("challenges", challenge=ids[position])
        assert page.button(key=name).disabled


def test_an_open_challenge_that_does_not_match_says_so(store: Store) -> None:
    (challenge,) = ids_of(store, "label = 1")[:1]
    page = the_page("challenges", challenge=challenge, scored="0 · no roadwork")
    assert "does not match the filters above" in rendered(page)
    assert page.button(key="next").disabled
    assert len(table(page, "Slot")) == 10


def test_a_challenge_of_several_images_offers_each(store: Store) -> None:
    (wanted,) = ids_of(store, "aug_level = 3")[:1]

    page = the_page("challenges", challenge=wanted)

    assert not page.exception
    assert "one of several possible images" in rendered(page)
    # sixteen small ones, one large, and the source
    assert len(page.get("image")) == 18
    strip = page.button_group[0]
    assert len(strip.options) == 16
    strip.set_value(15).run()
    assert not page.exception
    assert "Distortions: " in rendered(page)


def test_what_cannot_be_opened_is_one_line_and_the_list_stays(store: Store) -> None:
    page = the_page("challenges", challenge=f"no {HOSTILE}")
    assert not page.exception
    assert "found no such challenge in this store" in plain(page)
    assert "script" not in rendered(page)
    assert len(listed(page)) == 20


def test_a_missing_shard_and_a_damaged_image_are_one_line(store: Store) -> None:
    (challenge,) = ids_of(store, "aug_level = 1")[:1]
    (shard,) = store.sources.glob("*.parquet")
    whole = shard.read_bytes()
    middle = len(whole) // 3
    shard.write_bytes(whole[:middle] + bytes(len(whole) // 3) + whole[2 * middle :])

    page = the_page("challenges", challenge=challenge)

    assert not page.exception
    assert "No image: " in plain(page)
    assert len(table(page, "Slot")) == 10
    shard.unlink()
    page = the_page("challenges", challenge=challenge)
    assert not page.exception
    assert "No image: shard missing" in plain(page)
    assert f"Shards are looked for in {store.sources}" in plain(page)
    assert len(table(page, "Slot")) == 10


def test_filters_without_a_match_say_so(store: Store) -> None:
    page = the_page("challenges", id_prefix="zz")

    assert not page.exception
    assert "**0 of 60** challenges match." in rendered(page)
    assert not tables(page)


def test_gates_are_drawn_over_the_image(store: Store) -> None:
    (challenge,) = ids_of(store, "aug_level = 1")[:1]
    assert charts(the_page("challenges", challenge=challenge)) == 1
    change(
        store,
        "INSERT INTO replay_gates SELECT 'replay-a', challenge_id, view, view / 20.0, view / 78.0 "
        "FROM media, range(1, 13) AS v (view)",
    )

    page = the_page("challenges", challenge=challenge)

    assert not page.exception
    assert charts(page) == 2
    assert "Gates over the image" in rendered(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    columns = ("media.city", "media.source", "media.parquet", "media.file", "responses.hotkey")
    for relation, column in (name.split(".") for name in (*columns, "replay_runs.model")):
        change(store, f"UPDATE {relation} SET {column} = '{HOSTILE}'")  # noqa: S608
    change(store, f"UPDATE replay_predictions SET reason = '{HOSTILE}', probability = NULL")  # noqa: S608
    change(store, "UPDATE responses SET prediction = 1e300 WHERE slot = 0")

    page = the_page("challenges", challenge=ids_of(store)[0])

    assert not page.exception
    assert "script" not in rendered(page)
    assert HOSTILE in set(table(page, "Why empty")["Value"])
    assert set(table(page, "Challenge")["City"]) == {HOSTILE[:39] + "…"}
    assert HOSTILE in plain(page)
