"""The Overview page on empty, damaged, small and hostile stores."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from analytics.commands import audit
from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from dashboards.overview.attention import Notice, Standing
from data.store import STORE_VARIABLE, Store
from replay.comparing.with_miners import compare_with_miners
from tests.conftest import GOLDEN, ROOT
from tests.dashboards.conftest import change
from tests.dashboards.page import HOSTILE, metric, plain, rendered, table, tables, the_page


@pytest.fixture
def store(replayed: Store) -> Store:
    return replayed


def test_store_that_does_not_exist_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, str(tmp_path / "none"))

    page = the_page("overview")

    assert not page.exception
    assert "make demo" in plain(page)
    assert "streetreplay ingest LOG" in plain(page)
    assert not (tmp_path / "none").exists()


def test_an_error_of_a_damaged_warehouse_is_one_line(store: Store) -> None:
    store.warehouse.write_bytes(store.warehouse.read_bytes()[:5000])

    page = the_page("overview")

    assert not page.exception
    assert len(page.error) == 1
    assert "move it away and ingest again" in page.code[0].value
    assert "\n" not in page.code[0].value


def test_store_without_a_run_names_the_command(store: Store) -> None:
    change(store, "DELETE FROM replay_runs")

    page = the_page("overview")

    assert not page.exception
    assert "streetreplay replay --model orange" in plain(page)


def test_every_count_table_holds_all_challenges(store: Store) -> None:
    change(store, "UPDATE media SET aug_level = -1, geometry = 'none' WHERE position = 3")

    counts = [frame for frame in tables(the_page("overview")) if "challenges" in frame]

    assert len(counts) == 4
    assert [frame["challenges"].sum() for frame in counts] == [60] * 4


def test_the_verdict_is_that_of_compare(store: Store) -> None:
    with reading(store) as connection:
        compared = compare_with_miners(connection, "replay-a")
    page = the_page("overview")
    assert f"MCC of {compared.candidate.mcc:.2f}" in rendered(page)
    assert "on all that the store holds now" in rendered(page)


def test_notices_know_the_slices_that_the_other_page_had_computed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Standing] = []

    def noted(standing: Standing) -> list[Notice]:
        seen.append(standing)
        return []

    monkeypatch.setattr("dashboards.overview.attention.notices", noted)
    the_page("overview")
    [standing] = seen
    assert standing.compared is not None
    assert standing.compared.slices


def test_coverage_is_that_of_the_run(store: Store) -> None:
    with reading(store) as connection:
        expected = connection.execute(
            "SELECT fidelity, count(*) FROM replay_predictions WHERE run_id = 'replay-a' "
            "GROUP BY fidelity"
        ).fetchall()
    shown = table(the_page("overview"), "Fidelity")
    assert dict(zip(shown["Fidelity"], shown["Challenges"], strict=True)) == dict(expected)
    assert shown["Share"].sum() == pytest.approx(100)


def test_the_last_audit_is_shown_until_logs_are_read(store: Store) -> None:
    assert "never audited" in rendered(the_page("overview"))
    CliRunner().invoke(audit.app, ["--store", str(store.root)])
    page = the_page("overview")
    assert "none is wrong" in rendered(page)
    assert "Out of date" not in rendered(page)
    assert "never audited" not in plain(page)
    change(store, "DELETE FROM logs")
    assert "The log has changed since the last audit" in plain(the_page("overview"))


def test_what_changed_since_the_last_visit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "last visit" not in rendered(the_page("overview"))
    visits = json.loads((store.settings / "last-visits.json").read_bytes())
    earlier = datetime.now(UTC) - timedelta(hours=9)
    visits["present"] |= {"at": str(earlier), "challenges": 50, "champion": "another"}
    (store.settings / "last-visits.json").write_text(json.dumps(visits))
    for _ in range(2):  # a reload is the same visit
        shown = rendered(the_page("overview"))
        assert f"last visit ({earlier:%Y-%m-%d %H:%M} UTC" in shown
        assert "+10 challenges, no champion any more" in shown
    (store.settings / "last-visits.json").write_text("{")
    page = the_page("overview")
    assert not page.exception
    assert "last visit" not in rendered(page)


def test_rejects_are_a_notice_with_a_link_to_them(store: Store) -> None:
    change(store, "INSERT INTO rejects VALUES ('a.jsonl', 3, NULL, 'no JSON', 'x')")
    page = the_page("overview")
    assert "1 records and 0 values could not be read" in plain(page)
    link = next(one for one in page.get("page_link") if one.proto.label == "Look at the rejects")
    assert "rejects" in link.proto.query_string


def test_challenges_over_time_add_up_to_those_with_a_time(store: Store) -> None:
    change(
        store,
        "UPDATE media SET time = TIMESTAMP '2026-01-01' + INTERVAL (position) HOUR "
        "WHERE position < 40",
    )
    page = the_page("overview")
    shown = table(page, "start")
    assert shown["challenges"].sum() == 40
    assert "20 without a time left out" in rendered(page)


def test_text_of_a_log_is_never_rendered(store: Store) -> None:
    columns = ("media.city", "media.source", "media.parquet", "media.file", "responses.hotkey")
    for relation, column in (name.split(".") for name in (*columns, "replay_runs.model")):
        change(store, f"UPDATE {relation} SET {column} = '{HOSTILE}'")  # noqa: S608
    change(store, "UPDATE responses SET prediction = 1e300 WHERE slot = 0")

    page = the_page("overview")

    assert not page.exception
    assert "script" not in rendered(page)


def test_new_logs_are_seen_at_the_next_click(store: Store) -> None:
    page = the_page("overview")
    assert metric(page, "Challenges") == "60"

    ingest(store, [GOLDEN / "real" / "media_record.json"])
    page.run()

    assert metric(page, "Challenges") == "61"
    assert not page.exception


def test_pages_hold_neither_sql_nor_torch_nor_html() -> None:
    for module in (ROOT / "dashboards").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        for forbidden in ("SELECT ", "import torch", "unsafe_allow_html", ".groupby("):
            assert forbidden not in text, module.name
