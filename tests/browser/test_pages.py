"""Every page in a real browser: no error, no sideways scroll, nothing from outside, accessible.

Screenshots are kept in `.cache/screenshots/`, to be looked at.
"""

from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.conftest import ROOT

WIDTHS = (390, 1440, 2560)
PAGES = sorted(path.stem for path in (ROOT / "dashboards" / "app_pages").glob("[!_]*.py"))
SCREENSHOTS = ROOT / ".cache" / "screenshots"

# Streamlit draws it while a page's script runs.
_RUNNING = "[data-testid=stStatusWidget], [data-testid=stSpinner]"
# Of Streamlit's own frame, which no page can change.
_STREAMLITS_OWN = {"meta-viewport", "scrollable-region-focusable"}
_WITHIN = 180_000


class Visit:
    """A page opened in a window of a width, and what went wrong on the way."""

    def __init__(self, browser: Browser, address: str, name: str, width: int) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 1000})
        self.console: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.console.append(str(error)))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.goto(f"{address}/{'' if name == 'overview' else name}")
        self.page.wait_for_selector("h1", timeout=_WITHIN)
        self.wait()

    def wait(self) -> None:
        """Until the page's script has run to its end."""
        self.page.wait_for_timeout(500)
        self.page.wait_for_selector(_RUNNING, state="detached", timeout=_WITHIN)
        self.page.wait_for_timeout(500)

    def _hear(self, line: ConsoleMessage) -> None:
        # Streamlit asks below a page's own address first whether its server is there
        if line.type == "error" and "/_stcore/" not in line.location["url"]:
            self.console.append(f"{line.text} {line.location['url']}")

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "localhost":
            self.outside.append(url)


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
