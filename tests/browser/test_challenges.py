"""Rows of the page Challenges are chosen in a real browser: AppTest cannot press one."""

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page

from analytics.warehouse.connection import reading
from data.store import Store

_WITHIN = 180_000
_RUNNING = "[data-testid=stStatusWidget], [data-testid=stSpinner]"
# of a row's box to choose it, from the table's corner, in pixels
_LEFT, _HEADER, _ROW = 16, 36, 35


def wait(page: Page) -> None:
    """Until the page's script has run to its end."""
    page.wait_for_timeout(1_000)
    page.wait_for_selector(_RUNNING, state="detached", timeout=_WITHIN)
    page.wait_for_timeout(1_000)


def press_row(page: Page, row: int) -> None:
    table = page.locator("[data-testid=stDataFrame]").first.bounding_box()
    assert table is not None
    page.mouse.click(table["x"] + _LEFT, table["y"] + _HEADER + _ROW * (row + 0.5))
    wait(page)


def opens(page: Page, challenge: str) -> None:
    """Wait until the page shows a challenge, which its link then names."""
    code = page.locator("[data-testid=stCode]")
    code.filter(has_text=challenge).wait_for(timeout=_WITHIN)
    wait(page)
    assert parse_qs(urlsplit(page.url).query)["challenge"] == [challenge]


@pytest.mark.browser
def test_a_row_opens_a_challenge_and_the_link_keeps_it(
    browser: Browser, address: str, demo_store: Store
) -> None:
    with reading(demo_store) as connection:
        rows = connection.execute(
            "SELECT challenge_id FROM media ORDER BY time NULLS LAST, file, position LIMIT 60"
        ).fetchall()
    ids = [row[0] for row in rows]
    page = browser.new_page(viewport={"width": 1440, "height": 3000})
    page.goto(f"{address}/challenges")
    page.wait_for_selector("[data-testid=stDataFrame]", timeout=_WITHIN)
    wait(page)
    press_row(page, 2)
    opens(page, ids[2])
    page.get_by_role("button", name="Next", exact=True).last.click()
    opens(page, ids[3])
    press_row(page, 0)
    opens(page, ids[0])
    page.get_by_role("button", name="Close").click()
    page.locator("[data-testid=stCode]").wait_for(state="detached", timeout=_WITHIN)
    assert "challenge=" not in page.url
    page.locator("[data-testid=stMain]").get_by_text("2", exact=True).first.click()
    page.get_by_text("21 to 40 of").wait_for(timeout=_WITHIN)
    wait(page)
    press_row(page, 5)
    opens(page, ids[25])
    page.goto(page.url)
    opens(page, ids[25])
    page.close()
