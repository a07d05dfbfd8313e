"""Rows of the page Challenges are chosen in a real browser: AppTest cannot press one."""

import pytest
from playwright.sync_api import Browser

from analytics.warehouse.connection import reading
from data.store import Store
from tests.browser.visit import Visit

# of a row's box to choose it, from the table's corner, in pixels
_LEFT, _HEADER, _ROW = 16, 36, 35


def press_row(visit: Visit, row: int) -> None:
    visit.wait()
    table = visit.page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert table is not None
    visit.page.mouse.click(table["x"] + _LEFT, table["y"] + _HEADER + _ROW * (row + 0.5))


def opens(visit: Visit, challenge: str) -> None:
    """Wait until the page shows a challenge, which its link then names."""
    visit.page.locator("[data-testid=stCode]").filter(has_text=challenge).wait_for()
    visit.expect_in_link("challenge", challenge)
    visit.wait()


@pytest.mark.browser
def test_a_row_opens_a_challenge_and_the_link_keeps_it(
    browser: Browser, address: str, demo_store: Store
) -> None:
    with reading(demo_store) as connection:
        rows = connection.execute(
            "SELECT challenge_id FROM media ORDER BY time NULLS LAST, file, position LIMIT 60"
        ).fetchall()
    ids = [row[0] for row in rows]
    visit = Visit(browser, address, "challenges", 1440, height=3000)
    page = visit.page
    press_row(visit, 2)
    opens(visit, ids[2])
    page.get_by_role("button", name="Next", exact=True).last.click()
    opens(visit, ids[3])
    press_row(visit, 0)
    opens(visit, ids[0])
    page.get_by_role("button", name="Close").click()
    page.locator("[data-testid=stCode]").wait_for(state="detached")
    visit.expect_not_in_link("challenge")
    page.locator("[data-testid=stMain]").get_by_text("2", exact=True).first.click()
    page.get_by_text("21 to 40 of").wait_for()
    press_row(visit, 5)
    opens(visit, ids[25])
    page.goto(page.url)
    opens(visit, ids[25])
    visit.close()
