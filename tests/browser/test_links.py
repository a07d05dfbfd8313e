"""A page's link holds all that was chosen, however late the server's answers come."""

import pytest
from playwright.sync_api import Browser, WebSocketRoute

from tests.browser.visit import Visit

_COLOUR = "roadwork among challenges"


class _LateServer:
    """A server whose messages to a page can be held back."""

    def __init__(self) -> None:
        self._held: list[bytes | str] = []
        self._is_late = False

    def route(self, page: WebSocketRoute) -> None:
        self._page = page
        page.connect_to_server().on_message(self._hear)

    def begin(self) -> None:
        self._is_late = True

    def end(self) -> None:
        assert self._held
        self._is_late = False
        for message in self._held:
            self._page.send(message)

    def _hear(self, message: bytes | str) -> None:
        if self._is_late:
            self._held.append(message)
        else:
            self._page.send(message)


@pytest.mark.browser
def test_a_choice_stays_in_the_link_while_the_page_is_drawn_for_another(
    browser: Browser, address: str
) -> None:
    late = _LateServer()
    visit = Visit(browser, address, "gps_clusters", 1440, route=late.route)
    visit.page.get_by_text("Scored 2").wait_for()  # drawn anew when this is there
    visit.wait()
    late.begin()
    visit.choose("Map of", "the whole country")
    visit.choose("Colour", _COLOUR)
    visit.expect_in_link("colour", _COLOUR)
    links: list[str] = []
    visit.page.on("framenavigated", lambda frame: links.append(frame.url))
    late.end()
    visit.wait()
    assert [link for link in links if "colour=" not in link] == []
    visit.expect_in_link("area", "the whole country")
    visit.expect_in_link("colour", _COLOUR)
    visit.close()
