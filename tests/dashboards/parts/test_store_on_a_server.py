"""Pages of a store on a server show its working copy, and say how old that is."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.parts import page_head
from data.remote_store import opening
from data.remote_store.working_copy import COPIES_VARIABLE
from data.store import STORE_VARIABLE
from tests.dashboards.page import plain, the_page
from tests.data.remote_store.machines import URL, memory_server


@pytest.fixture
def served(compared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv(STORE_VARIABLE, URL)
    monkeypatch.setenv(COPIES_VARIABLE, str(tmp_path / "copies"))
    with memory_server() as memory:
        for path in (path for path in compared.rglob("*") if path.is_file()):
            memory.pipe(f"/bucket/store/{path.relative_to(compared)}", path.read_bytes())
        yield memory
        with opening.sending_back():  # forgets what pages have opened
            pass


def head(page: Any) -> str:
    (said,) = [text.value for text in page.text if text.value.startswith("Store: ")]
    return str(said)


def test_a_page_of_a_store_on_a_server(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    page = the_page("overview")
    assert not page.exception
    assert re.fullmatch(rf"Store: {URL}, as of \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC", head(page))
    assert "60" in plain(page)
    # of images on the server
    page = the_page("challenges")
    assert not page.exception
    # what a page keeps is sent when it is fetched again
    monkeypatch.setattr(page_head, "_FETCHED_EVERY", timedelta(0))
    the_page("overview")
    assert served.exists("/bucket/store/settings/last-visits.json")


def test_without_the_server_a_page_shows_what_was_fetched(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = head(the_page("miners"))
    monkeypatch.setattr(page_head, "_FETCHED_EVERY", timedelta(0))

    def fails(*_: Any, **__: Any) -> Any:
        raise OSError("line lost")

    with monkeypatch.context() as patch:
        patch.setattr(type(served), "find", fails)
        page = the_page("miners")
    assert head(page) == before
    assert [warning.value for warning in page.warning] == ["It could not be fetched again:"]
    assert any("found line lost; expected a server" in code.value for code in page.code)


def test_a_server_that_was_never_reached_is_one_line(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError("line lost")

    monkeypatch.setattr(type(served), "find", fails)
    page = the_page("sql")
    assert not page.exception
    assert [error.value for error in page.error] == ["This cannot be shown:"]
    assert any(f"store {URL}: found line lost" in code.value for code in page.code)
