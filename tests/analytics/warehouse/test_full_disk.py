import errno
import os
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from analytics.warehouse.connection import writing
from data.errors import WriteError
from data.store import Store
from tests.conftest import ROOT
from tests.worlds.full_disk import small_disk

SAMPLE = ROOT / "data" / "sample" / "media_record.json"
LEFT_OVER = "*aside*"


@pytest.mark.parametrize("kilobytes", [300, 1000, 2000, 3000])
def test_an_ingest_that_finds_no_room_says_so_and_leaves_the_old_store(
    tmp_path: Path, golden: Path, kilobytes: int
) -> None:
    with small_disk(tmp_path / "disk", 9000) as disk:
        store = Store(disk)
        ingest(store, [SAMPLE])
        before = store.warehouse.read_bytes()
        used = sum(path.stat().st_size for path in disk.iterdir())
        (disk / "ballast").write_bytes(b"\0" * (9000 * 1024 - used - kilobytes * 1024))
        # a file of 400 challenges and the copy that it begins with take more than there is
        with pytest.raises(
            WriteError, match=r"warehouse\.duckdb: found No space left.*free some space"
        ):
            ingest(store, [golden / "e7" / "challenges.jsonl"])
        assert store.warehouse.read_bytes() == before
        assert not list(disk.glob(LEFT_OVER))
        # as the remedy says
        (disk / "ballast").unlink()
        assert ingest(store, [golden / "e7" / "challenges.jsonl"]).challenges_new == 400
        assert query(store, "SELECT count(*) FROM media").rows == [(401,)]


def test_what_the_disk_refuses_at_the_last_moment_leaves_the_old_store(
    store: Store, golden: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(store, [SAMPLE])
    before = store.warehouse.read_bytes()

    def fsync(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        with pytest.raises(WriteError, match="No space left"):
            ingest(store, [golden / "e9" / "challenges.jsonl"])
    assert store.warehouse.read_bytes() == before
    assert not list(store.root.glob(LEFT_OVER))
    assert ingest(store, [golden / "e9" / "challenges.jsonl"]).challenges_new == 60


def test_a_warehouse_that_lost_rows_on_its_way_to_the_disk_is_not_published(
    store: Store, golden: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest(store, [SAMPLE])
    before = store.warehouse.read_bytes()
    counts = iter([[2], [1]])
    monkeypatch.setattr(
        "analytics.warehouse.connection._row_counts", lambda _connection: next(counts)
    )
    with pytest.raises(WriteError, match="rows of media"), writing(store):
        pass
    assert store.warehouse.read_bytes() == before
