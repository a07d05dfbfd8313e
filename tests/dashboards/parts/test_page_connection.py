"""Pages take turns, and never wait for themselves."""

import threading
from pathlib import Path

import pytest

from dashboards.parts.page_connection import page_reading
from data.store import Store
from tests.conftest import ROOT


def test_one_reads_at_a_time(ingested: Path) -> None:
    store, at_work, most = Store(ingested), [0], [0]

    def read() -> None:
        for _ in range(5):
            with page_reading(store) as connection:
                at_work[0] += 1
                most[0] = max(most[0], at_work[0])
                connection.execute("SELECT count(*) FROM media").fetchall()
                at_work[0] -= 1

    visitors = [threading.Thread(target=read) for _ in range(4)]
    for visitor in visitors:
        visitor.start()
    for visitor in visitors:
        visitor.join()
    assert most == [1]


def test_a_turn_within_a_turn_is_refused_and_ends_with_an_error(ingested: Path) -> None:
    store = Store(ingested)
    with pytest.raises(RuntimeError, match="already"), page_reading(store), page_reading(store):
        pass
    with page_reading(store) as connection:
        assert connection.execute("SELECT count(*) FROM media").fetchall() == [(60,)]


def test_pages_read_by_turns() -> None:
    """All but Retraining, whose decision and weights may take long."""
    reads = {
        str(module.relative_to(ROOT / "dashboards"))
        for module in (ROOT / "dashboards").rglob("*.py")
        if "warehouse.connection import" in module.read_text(encoding="utf-8")
    }
    assert reads == {"parts/page_connection.py", "retraining/access.py"}
