"""What is kept of all miners together is what was found."""

import shutil
from pathlib import Path

import pytest

from analytics.standings.mcc_intervals import mcc_intervals
from analytics.standings.together import (
    keep_together,
    kept_together,
    miners_together,
)
from analytics.warehouse.connection import reading
from data.store import Store
from tests.analytics.standings.ordered import change, ordered


def test_kept_and_read_again(store: Store) -> None:
    assert kept_together(store) is None
    with reading(store) as connection:
        found = miners_together(connection)
    keep_together(store, found)
    assert kept_together(store) == found
    with ordered(store) as connection:
        intervals = mcc_intervals(connection)
    assert {one.miner: one.interval for one in found.mccs} == {
        miner: one.interval for miner, one in intervals.items()
    }
    assert {one.miner for one in found.abilities} == set(intervals)


def test_other_code_or_other_logs_are_another_basis(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with reading(store) as connection:
        basis = miners_together(connection).basis
        assert miners_together(connection).basis == basis
    copy = Store(tmp_path / "store")
    shutil.copytree(store.root, copy.root)
    change(copy, "DELETE FROM responses WHERE slot = 9")
    with reading(copy) as connection:
        assert miners_together(connection).basis != basis
    monkeypatch.setattr("analytics.miners.kept_estimates.code_digest", lambda *_: "other code")
    with reading(store) as connection:
        assert miners_together(connection).basis != basis


def test_a_damaged_file_is_none(store: Store) -> None:
    with reading(store) as connection:
        keep_together(store, miners_together(connection))
    file = next(store.miners.iterdir())
    file.write_bytes(file.read_bytes()[:-9])
    assert kept_together(store) is None
    file.unlink()
