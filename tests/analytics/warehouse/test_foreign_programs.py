import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.user_sql import query
from analytics.warehouse.connection import FORMAT
from data.errors import StoreError
from data.store import Store
from tests.analytics.warehouse.foreign_program import writing_into
from tests.conftest import ROOT, golden_records

SAMPLE = ROOT / "data" / "sample" / "media_record.json"


@pytest.fixture
def filled(store: Store) -> Store:
    ingest(store, [SAMPLE])
    return store


@pytest.fixture
def more(golden: Path, tmp_path: Path) -> Path:
    lines = [json.dumps(record) + "\n" for record in golden_records(golden, "e9")[:3]]
    path = tmp_path / "more.jsonl"
    path.write_text("".join(lines), encoding="utf-8")
    return path


def wal(store: Store) -> Path:
    return store.warehouse.with_name("warehouse.duckdb.wal")


def counted(store: Store) -> Any:
    return query(store, "SELECT count(*) FROM media").rows[0][0]


def test_an_ingest_replaces_the_file_that_another_program_holds(filled: Store, more: Path) -> None:
    with writing_into(filled.warehouse):
        assert wal(filled).exists()
        ingest(filled, [more])
        assert not wal(filled).exists()
        assert counted(filled) == 4
    assert not wal(filled).exists()
    assert counted(filled) == 4


def test_an_ingest_replaces_what_a_killed_program_left(filled: Store, more: Path) -> None:
    with writing_into(filled.warehouse):
        pass
    assert wal(filled).exists()
    ingest(filled, [more])
    assert not wal(filled).exists()
    assert counted(filled) == 4
    assert query(
        filled, "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'notes'"
    ).rows == [(0,)]


def test_a_held_warehouse_names_the_process_that_holds_it(filled: Store) -> None:
    with (
        writing_into(filled.warehouse) as process,
        pytest.raises(StoreError, match=rf"locked by process {process} \(.*python"),
    ):
        counted(filled)
    # its remedy: the program is closed
    assert counted(filled) == 1


def foreign_log_beside(store: Store, more: Path) -> None:
    """A log that does not belong to the file, as a program leaves that still held an older one."""
    with writing_into(store.warehouse):
        shutil.copyfile(wal(store), store.root / "kept")
    ingest(store, [more])
    (store.root / "kept").rename(wal(store))


def test_a_foreign_log_is_named_and_ingesting_the_same_again_mends_it(
    filled: Store, more: Path
) -> None:
    foreign_log_beside(filled, more)
    with pytest.raises(StoreError, match=r"warehouse\.duckdb\.wal beside it.*ingest` again"):
        counted(filled)
    ingest(filled, [more])
    assert counted(filled) == 4


def test_a_foreign_log_is_named_and_deleting_it_mends_it(filled: Store, more: Path) -> None:
    foreign_log_beside(filled, more)
    with pytest.raises(StoreError, match="delete") as error:
        counted(filled)
    remedy = re.search("delete '(.*?)'", str(error.value))
    assert remedy is not None
    Path(remedy[1]).unlink()
    assert counted(filled) == 4


def test_a_damaged_warehouse_that_is_moved_away_leaves_room_for_a_new_one(
    filled: Store, more: Path
) -> None:
    with writing_into(filled.warehouse):
        pass
    wal(filled).rename(filled.root / "kept")
    filled.warehouse.write_bytes(b"not a database at all" * 1000)
    with pytest.raises(StoreError, match="move it away and ingest again"):
        ingest(filled, [more])
    (filled.root / "kept").rename(wal(filled))
    filled.warehouse.rename(filled.root / "away")
    ingest(filled, [more])
    assert counted(filled) == 3
    assert not wal(filled).exists()


def test_a_warehouse_of_another_format_is_replaced_as_the_remedy_says(
    filled: Store, more: Path
) -> None:
    import duckdb  # noqa: PLC0415

    with duckdb.connect(str(filled.warehouse)) as connection:
        connection.execute("UPDATE warehouse_format SET format = 3")
    expected = f"found format 3; expected format {FORMAT}; move it away"
    with pytest.raises(StoreError, match=expected):
        counted(filled)
    filled.warehouse.rename(filled.root / "away")
    ingest(filled, [more])
    assert counted(filled) == 3


def test_a_warehouse_that_may_not_be_read_is_not_called_damaged(
    filled: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # root reads everything: the system's answer is played
    filled.warehouse.write_bytes(b"x" * 10_000)
    monkeypatch.setattr("analytics.warehouse.connection.os.access", lambda *_: False)
    with pytest.raises(StoreError, match="no permission to read it") as error:
        counted(filled)
    command = shlex.split(str(error.value).rpartition("; ")[2])
    subprocess.run(command, check=True)
