"""Difficulties and doubtful labels on the page: kept, computed beside it, out of date."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from analytics.ingest.ingest import ingest
from analytics.miners.background import last_report
from analytics.miners.kept_estimates import (
    KeptEstimates,
    estimates_basis,
    keep_estimates,
    kept_difficulties,
)
from analytics.miners.report import MinerReport, miner_report
from analytics.miners.wrong_labels import SuspectedLabel, WrongLabels
from analytics.warehouse.connection import reading
from data.background.process import RUNNING
from data.errors import RunError
from data.kept_values import keep
from data.store import Store
from tests.conftest import GOLDEN
from tests.dashboards.page import HOSTILE, plain, press, rendered, table, the_page
from tests.worlds.waiting import wait_for

START = "dashboards.parts.miners_report.start_report"


@pytest.fixture
def store(replayed: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """The store that the page shows; no test starts a process unless it wants to."""

    def refuse(*arguments: object) -> None:
        raise RunError("start", found="no room", expected="room")

    monkeypatch.setattr(START, refuse)
    return replayed


def estimate(store: Store) -> tuple[MinerReport, str]:
    """Keep the estimates of the store as it is."""
    with reading(store) as connection:
        report, basis = miner_report(connection), estimates_basis(connection)
    keep_estimates(store, report, basis)
    return report, basis


def listed(page: AppTest) -> list[str]:
    return list(table(page, "Challenge")["Challenge"])


def test_challenges_sort_and_filter_by_kept_difficulties(store: Store) -> None:
    _, basis = estimate(store)
    kept = kept_difficulties(store, basis).to_pydict()
    difficulties = dict(zip(kept["challenge_id"], kept["difficulty"], strict=True))

    page = the_page("challenges", sorted_by="difficulty, hardest first")

    assert not page.exception
    shown = [difficulties[challenge] for challenge in listed(page)]
    assert shown == sorted(difficulties.values(), reverse=True)[:20]
    assert list(table(page, "Challenge")["Difficulty"]) == shown
    assert "of all logs in the store" in rendered(page)
    low = sorted(difficulties.values())[len(difficulties) // 2]
    page.slider(key="difficulty").set_range(-6.0, round(low * 2) / 2).run()
    matching = sum(value <= round(low * 2) / 2 for value in difficulties.values())
    assert f"**{matching} of 60** challenges match" in rendered(page)


def test_the_queue_is_that_of_the_report(store: Store) -> None:
    report, _ = estimate(store)
    assert report.wrong_labels is not None
    page = the_page("challenges", doubtful="true")
    assert not page.exception
    found = report.wrong_labels
    assert f"**{len(found.suspected)} of {found.images_tested}** source images" in rendered(page)
    assert f"{found.images_left_out} images had fewer than 5 votes" in rendered(page)


def test_a_doubtful_label_opens_its_challenge_and_text_stays_text(store: Store) -> None:
    with reading(store) as connection:
        basis = estimates_basis(connection)
        [(challenge,)] = connection.execute("SELECT min(challenge_id) FROM media").fetchall()
    estimate(store)
    suspected = SuspectedLabel(HOSTILE, 1, challenge, 3, 9, 8, 8 / 9, (0.57, 0.98), 0.02)
    labels = WrongLabels([suspected], 12, 10, 40, 3)
    keep(
        store.miners / "estimates.json",
        KeptEstimates(basis, datetime.now(UTC), 60, labels, None),
    )

    page = the_page("challenges", doubtful="true")

    assert "**1 of 40** source images have a doubtful label" in rendered(page)
    assert "10 of 12 able miners" in rendered(page)
    shown = table(page, "Source image")
    assert shown["Source image"][0] == HOSTILE
    assert shown["Against"][0] == pytest.approx(100 * 8 / 9)
    assert "script" not in rendered(page)
    assert page.button(key="open doubtful").disabled
    next(box for box in page.selectbox if box.label.startswith("Open the first")).set_value(0).run()
    press(page, "open doubtful")
    assert not page.exception
    assert page.query_params["challenge"] == challenge


def test_what_cannot_be_computed_is_told_and_the_list_stays(store: Store) -> None:
    page = the_page("challenges", doubtful="true", sorted_by="difficulty, easiest first")
    assert not page.exception
    assert "found no room" in plain(page)
    assert len(listed(page)) == 20


def test_older_estimates_are_shown_and_said_to_be_old(store: Store) -> None:
    estimate(store)
    ingest(store, [GOLDEN / "real" / "media_record.json"])
    page = the_page("challenges", doubtful="true")
    assert not page.exception
    assert "**Out of date**" in rendered(page)
    assert "source images have a doubtful label" in rendered(page)


def test_it_is_computed_beside_the_page(replayed: Store) -> None:
    page = the_page("challenges", doubtful="true")
    assert not page.exception
    process = last_report(replayed)
    assert process is not None
    assert "Estimating difficulties and doubtful labels" in rendered(page)
    wait_for(lambda: process.state not in RUNNING)
    page.run()
    assert "of all logs in the store" in rendered(page)


def test_a_damaged_file_of_difficulties_leaves_the_list(store: Store) -> None:
    estimate(store)
    (file,) = store.miners.glob("*.parquet")
    file.write_bytes(b"PAR1 no")
    page = the_page("challenges")
    assert not page.exception
    assert len(listed(page)) == 20


def test_a_store_that_is_only_read_is_left_alone(store: Store, tmp_path: Path) -> None:
    before = sorted(path.relative_to(store.root) for path in store.root.rglob("*"))
    the_page("challenges")
    assert sorted(path.relative_to(store.root) for path in store.root.rglob("*")) == before
