"""What pages of miners ask of a store."""

import pytest

from analytics.miners.answers import Miner
from analytics.standings.lost_challenges import LossFilter
from analytics.warehouse.connection import reading
from dashboards.miners import access
from dashboards.parts import store_access
from data.store import Store
from tests.dashboards.conftest import change


def test_the_file_of_all_losses_is_escaped_and_not_kept(
    replayed: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(replayed) as connection:
        [(uid, hotkey)] = connection.execute("SELECT uid, hotkey FROM responses LIMIT 1").fetchall()
    miner = Miner(uid, hotkey)
    change(replayed, "UPDATE responses SET prediction = -1")
    change(replayed, "UPDATE media SET city = 'a' || chr(8238) || 'b'")
    version = store_access.warehouse_version(replayed)
    asked: list[object] = []

    def counted(*given: object) -> bytes:
        asked.append(given)
        return b"x"

    monkeypatch.setattr(access, "lost_as_csv", counted)
    for _ in range(2):
        assert access.lost_file(version, miner, None, LossFilter()) == b"x"
    assert len(asked) == 2
    monkeypatch.undo()
    file = access.lost_file(version, miner, None, LossFilter()).decode()
    assert "\\u202e" in file
    assert chr(8238) not in file
    assert "life-1" in file
