"""All miners together on the pages: kept, computed beside them, out of date."""

import pytest

from analytics.miners.background import last_report
from analytics.standings.together import kept_together
from data.background.process import RUNNING
from data.errors import RunError
from data.store import Store
from tests.dashboards.conftest import change
from tests.dashboards.page import plain, rendered, table, the_page
from tests.worlds.waiting import wait_for

FILE = "last-report.json"


@pytest.fixture
def refused(replayed: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store on whose pages no process is started."""

    def refuse(*arguments: object) -> None:
        raise RunError("start", found="no room", expected="room")

    monkeypatch.setattr("dashboards.parts.miners_report.start_report", refuse)
    return replayed


def test_it_is_computed_beside_the_page(replayed: Store) -> None:
    (replayed.miners / FILE).unlink()
    page = the_page("miners")
    assert not page.exception
    process = last_report(replayed)
    assert process is not None
    assert "Looking at all miners together" in rendered(page)
    assert table(page, "Ability")["Ability"].isna().all()
    wait_for(lambda: process.state not in RUNNING)
    page.run()
    assert not page.exception
    assert "Abilities, clones and memory are of" in rendered(page)
    assert table(page, "Ability")["Ability"].notna().any()
    assert "No clone" in rendered(the_page("my_miner"))


def test_what_cannot_be_computed_is_told_and_the_rest_stays(refused: Store) -> None:
    (refused.miners / FILE).unlink()
    for name in ("miners", "my_miner"):
        page = the_page(name)
        assert not page.exception
        assert "found no room" in plain(page)
    assert kept_together(refused) is None


def test_older_logs_are_said_to_be_old(refused: Store) -> None:
    change(refused, "DELETE FROM replay_runs")
    change(refused, "DELETE FROM responses WHERE slot = 9")
    page = the_page("miners")
    assert not page.exception
    assert "**Out of date**: Abilities, clones and memory are of" in rendered(page)
    assert table(page, "Ability")["Ability"].notna().any()
    # what is of older logs than the MCCs beside it is not shown
    assert table(page, "Ability")["95% from"].isna().all()
