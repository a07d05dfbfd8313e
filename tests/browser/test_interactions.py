"""What a visitor does first on each page, in a real browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.visit import Visit

# a whole retraining of the demo's size, on a busy machine
_RETRAINED_WITHIN = 900_000


def _follow_a_link(visit: Visit) -> None:
    visit.page.get_by_text("Beside every miner, by slice").click()
    visit.page.wait_for_selector("h1:has-text('Replay and compare')")


def _compare_with_another_run(visit: Visit) -> None:
    # until the slices are computed: the page is drawn anew then, which closes an open choice
    visit.page.get_by_text("Slices by").first.wait_for()
    visit.wait()
    visit.choose("Against", "safety-orange")
    visit.page.get_by_text("that both predicted").first.wait_for()


def _take_the_other_label(visit: Visit) -> None:
    visit.choose("Label", "1")
    visit.expect_in_link("label", "1")


def _show_gates(visit: Visit) -> None:
    visit.choose("Mean of a view's", "gate")
    visit.expect_in_link("mean", "gate")


def _colour_by_another_measure(visit: Visit) -> None:
    visit.choose("Colour", "roadwork among challenges")
    visit.expect_in_link("colour", "roadwork among challenges")


def _ask(visit: Visit) -> None:
    visit.page.get_by_label("Query", exact=True).fill("SELECT count(*) AS n FROM media")
    visit.page.get_by_role("button", name="Run").click()
    visit.expect_in_link("sql", "SELECT")


def _open_a_challenge(visit: Visit) -> None:
    visit.choose("Scored label", "1")
    visit.expect_in_link("scored", "1")
    # the cell of a table drawn on a canvas: the box before the first row
    table = visit.page.locator("[data-testid=stDataFrame] canvas").first
    table.click(position={"x": 18, "y": 54}, force=True)
    visit.page.get_by_text("Recorded augmentation").first.wait_for()
    visit.expect_in_link("challenge")


def _name_a_miner(visit: Visit) -> None:
    visit.page.get_by_label("or its uid or hotkey").fill("5")
    visit.page.keyboard.press("Enter")
    visit.expect_in_link("miner", "5")


def _find_a_miner(visit: Visit) -> None:
    visit.page.get_by_label("Part of a hotkey, or a uid").fill("5")
    visit.page.keyboard.press("Enter")
    visit.expect_in_link("find", "5")


FIRST_STEPS: dict[str, Callable[[Visit], None]] = {
    "overview": _follow_a_link,
    "comparison": _compare_with_another_run,
    "null_rates": _take_the_other_label,
    "gates": _show_gates,
    "gps_clusters": _colour_by_another_measure,
    "sql": _ask,
    "challenges": _open_a_challenge,
    "my_miner": _name_a_miner,
    "miners": _find_a_miner,
}


@pytest.mark.browser
@pytest.mark.parametrize("name", FIRST_STEPS)
def test_the_first_step(browser: Browser, address: str, name: str) -> None:
    visit = Visit(browser, address, name, 1440)
    FIRST_STEPS[name](visit)
    visit.close()


@pytest.mark.browser
def test_a_retraining_is_started_and_seen_to_end(browser: Browser, address: str) -> None:
    visit = Visit(browser, address, "retraining", 1440)
    page = visit.page
    page.get_by_text("Retrain, due or not").click()
    visit.wait()
    page.get_by_role("button", name="Start").click()
    page.get_by_text("Running: step").first.wait_for()
    page.reload()  # it goes on
    page.get_by_text("The challenger was").first.wait_for(timeout=_RETRAINED_WITHIN)
    assert "The retraining is done" in visit.text()
    visit.close()
