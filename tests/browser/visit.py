"""A page opened in a browser's window, and what went wrong on the way."""

from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.worlds.dashboards_server import BUSY

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
        self.page.wait_for_selector(BUSY, state="detached", timeout=_WITHIN)
        self.page.wait_for_timeout(500)

    def _hear(self, line: ConsoleMessage) -> None:
        # Streamlit asks below a page's own address first whether its server is there
        if line.type == "error" and "/_stcore/" not in line.location["url"]:
            self.console.append(f"{line.text} {line.location['url']}")

    def _note(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.hostname != "localhost":
            self.outside.append(url)

    def choose(self, label: str, option: str) -> None:
        """Choose the first option with this text in a selectbox."""
        field = self.page.get_by_label(label, exact=True).first
        # charts above are drawn as they come into view, which moves the field from under a click
        field.scroll_into_view_if_needed()
        self.wait()
        field.focus()
        self.page.keyboard.press("ArrowDown")
        self.page.get_by_role("option").filter(has_text=option).first.click()
        self.wait()

    def text(self) -> str:
        """All that the page shows."""
        return str(self.page.locator("[data-testid=stMain]").inner_text())

    def close(self) -> None:
        """Close it; nothing may have gone wrong."""
        assert not self.page.locator("[data-testid=stException]").count(), self.text()
        assert (self.console, self.outside) == ([], [])
        self.page.close()
