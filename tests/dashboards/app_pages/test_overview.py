"""The Overview page on empty, damaged, small and hostile stores."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from analytics.leaks.training_rows import read_training_rows
from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from analytics.warehouse.ingest import ingest
from dashboards.parts.rebuilt_image import rebuilt_image
from dashboards.parts.store_access import images_version
from data.store import STORE_VARIABLE, Store
from replay.comparing.loaded_answers import TRAINED_ON
from replay.comparing.with_miners import compare_with_miners
from replay.rebuilding.variants import UNDISTORTED
from tests.conftest import GOLDEN, ROOT
from tests.dashboards.conftest import change

HOSTILE = "<script>alert(1)</script> **b** :red[x] $a$"


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def _page() -> AppTest:
    return AppTest.from_file(ROOT / "dashboards" / "streamlit_app.py", default_timeout=60).run()


def _rendered(page: AppTest) -> str:
    """All text of the page that is rendered as markdown."""
    kinds = (page.markdown, page.caption, page.info, page.warning, page.error, page.header)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def _plain(page: AppTest) -> str:
    return "\n".join(str(element.value) for kind in (page.text, page.code) for element in kind)


def _metric(page: AppTest, label: str) -> str:
    return next(str(metric.value) for metric in page.metric if metric.label == label)


def _frames(page: AppTest) -> list[pd.DataFrame]:
    return [element.value for element in page.dataframe]


def _frame(page: AppTest, column: str) -> pd.DataFrame:
    return next(frame for frame in _frames(page) if column in frame)


def test_store_that_does_not_exist_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))

    page = _page()

    assert not page.exception
    assert "make demo" in _plain(page)
    assert "streetreplay ingest LOG" in _plain(page)
    assert not (tmp_path / "none").exists()


def test_an_error_of_a_damaged_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])

    page = _page()

    assert not page.exception
    assert len(page.error) == 1
    assert "move it away and ingest again" in page.code[0].value
    assert "\n" not in page.code[0].value


def test_store_without_a_run_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")

    page = _page()

    assert not page.exception
    assert "streetreplay replay --model orange" in _plain(page)
    assert len(_frame(page, "Slot")) == 10


def test_every_count_table_holds_all_challenges(store: Store) -> None:
    change(store, "UPDATE media SET aug_level = -1, geometry = 'none' WHERE position = 3")

    counts = [frame for frame in _frames(_page()) if "challenges" in frame]

    assert len(counts) == 4
    assert [frame["challenges"].sum() for frame in counts] == [60] * 4


def test_miners_are_those_of_compare(store: Store) -> None:
    with reading(store) as connection:
        compared = compare_with_miners(connection, "replay-a")
    page = _page()
    page.slider[0].set_value(1).run()

    table = _frame(page, "n used")

    assert not page.exception
    assert list(table["Uid"]) == [miner.uid for miner in compared.miners]
    assert list(table["MCC"]) == [miner.score.mcc for miner in compared.miners]
    assert list(table["n left out"]) == [sum(m.left_out.values()) for m in compared.miners]
    assert "Image-only" in _rendered(page)
    assert f"{compared.left_out['shard missing']} × shard missing" in _plain(page)


def test_miners_with_few_shared_answers_are_hidden_and_counted(store: Store) -> None:
    with reading(store) as connection:
        shared = [miner.score.n for miner in compare_with_miners(connection, "replay-a").miners]
    page = _page()
    for minimum in (4, max(shared)):
        page.slider[0].set_value(minimum).run()
        enough = sum(n >= minimum for n in shared)

        assert not page.exception
        assert len(_frame(page, "n used")) == enough
        assert f"{len(shared) - enough} hidden with fewer than {minimum}" in _rendered(page)


def test_no_miner_left_is_said(store: Store) -> None:
    change(
        store,
        "DELETE FROM replay_predictions WHERE challenge_id != (SELECT min(challenge_id) "
        "FROM replay_predictions WHERE probability IS NOT NULL)",
    )
    page = _page()

    page.slider[0].set_value(2).run()

    assert not page.exception
    assert "No miner is left" in _rendered(page)


def test_no_shared_challenge_is_said(store: Store) -> None:
    change(store, "UPDATE replay_predictions SET probability = NULL, reason = 'shard missing'")

    page = _page()

    assert not page.exception
    assert "found 0 answers of miners to its 0 predicted challenges (60 more" in _plain(page)


def test_what_the_candidate_was_trained_on_is_left_out_and_counted(store: Store) -> None:
    assert "Not checked whether the candidate was trained" in _rendered(_page())
    with reading(store) as connection:
        [(parquet, row)] = connection.execute(
            "SELECT parquet, row FROM media WHERE aug_level < 2 ORDER BY challenge_id LIMIT 1"
        ).fetchall()
    kept = store.runs / "replay-a" / "training_rows.parquet"
    kept.parent.mkdir(parents=True)
    pl.DataFrame({"parquet": [parquet], "row": [row]}).write_parquet(kept)
    with reading(store) as connection:
        expected = compare_with_miners(connection, "replay-a", training=read_training_rows(kept))
    st.cache_data.clear()
    page = _page()
    assert "own 1 training rows" in _rendered(page)
    assert f"{expected.left_out[TRAINED_ON]} × {TRAINED_ON}" in _plain(page)


def test_metadata_fed_run_is_marked(store: Store) -> None:
    page = _page()
    page.selectbox[0].set_value("replay-fed").run()

    assert not page.exception
    assert "With metadata" in page.warning[0].value
    assert "Image-only" not in _rendered(page)


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
    page = _page()
    assert len(page.get("image")) == 1
    with reading(store) as connection:
        [(wanted,)] = connection.execute(
            "SELECT challenge_id FROM media WHERE aug_level = 3 ORDER BY position LIMIT 1"
        ).fetchall()

    page.text_input[0].set_value(wanted[:8]).run()

    assert not page.exception
    assert page.selectbox[-1].value == wanted
    assert len(page.get("image")) == 1
    assert "one of several possible images" in _rendered(page)
    variant = page.slider[-1]
    assert (variant.min, variant.max) == (1, 16)
    variant.set_value(16).run()
    assert not page.exception
    assert "Distortions: " in _rendered(page)
    assert wanted in set(_frame(page, "Why empty")["Value"])


def test_filters_without_a_match_say_so(store: Store) -> None:
    page = _page()

    page.text_input[0].set_value("zz").run()

    assert not page.exception
    assert "None of 60 challenges matches" in _rendered(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    columns = ("media.city", "media.source", "media.parquet", "media.file", "responses.hotkey")
    for relation, column in (name.split(".") for name in (*columns, "replay_runs.model")):
        change(store, f"UPDATE {relation} SET {column} = '{HOSTILE}'")  # noqa: S608
    change(store, "UPDATE responses SET prediction = 1e300 WHERE slot = 0")

    page = _page()

    assert not page.exception
    assert "script" not in _rendered(page)
    assert HOSTILE in set(_frame(page, "Why empty")["Value"])
    assert HOSTILE in _plain(page)


def test_new_logs_are_seen_at_the_next_click(store: Store) -> None:
    page = _page()
    assert _metric(page, "Challenges") == "60"

    ingest(store, [GOLDEN / "real" / "media_record.json"])
    page.run()

    assert _metric(page, "Challenges") == "61"
    assert not page.exception


def test_pages_hold_neither_sql_nor_torch_nor_html() -> None:
    for module in (ROOT / "dashboards").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        for forbidden in ("SELECT ", "import torch", "unsafe_allow_html", ".groupby("):
            assert forbidden not in text, module.name
