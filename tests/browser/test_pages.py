"""Every page in a real browser: no error, no sideways scroll, nothing from outside, accessible.

Screenshots are kept in `.cache/screenshots/`, to be looked at.
"""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.visit import Visit
from tests.conftest import ROOT

WIDTHS = (390, 1440, 2560)
PAGES = sorted(path.stem for path in (ROOT / "dashboards" / "app_pages").glob("[!_]*.py"))
SCREENSHOTS = ROOT / ".cache" / "screenshots"

# Of Streamlit's own frame, which no page can change.
_STREAMLITS_OWN = {"meta-viewport", "scrollable-region-focusable"}


@pytest.mark.browser
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", PAGES)
def test_page(browser: Browser, address: str, name: str, width: int) -> None:
    visit = Visit(browser, address, name, width)
    page = visit.page
    main = page.locator("[data-testid=stMain]")
    # the whole page, which scrolls inside of the window
    height = int(main.evaluate("element => element.scrollHeight"))
    page.set_viewport_size({"width": width, "height": min(height + 100, 12_000)})
    visit.wait()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png")

    links = page.locator("[data-testid=stSidebarNavLink]").all_text_contents()
    assert len(links) == len(PAGES)
    assert not any("streamlit app" in link for link in links)
    assert not page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count()
    assert main.evaluate("element => element.scrollWidth - element.clientWidth") <= 0
    assert (visit.console, visit.outside) == ([], [])
    found = Axe().run(page).response["violations"]
    serious = {
        violation["id"]: [node["html"][:200] for node in violation["nodes"][:3]]
        for violation in found
        if violation["impact"] in ("serious", "critical") and violation["id"] not in _STREAMLITS_OWN
    }
    assert not serious
    page.close()
