"""A folder of logs of every form, and whether two stores that read it hold the same."""

import gzip
import json
import os
import shutil
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from analytics.warehouse.relations import TABLES
from data.store import Store
from tests.conftest import CASES, GOLDEN, golden_records
from tests.worlds.simulated_logs import small_log
from tests.worlds.wandb_runs import write_media_files, write_run

STARTED = datetime(2026, 1, 3, 10, tzinfo=UTC)


def write_logs(folder: Path) -> Path:
    """Write them: long ones, many small ones, runs, tables, an archive, broken ones."""
    folder.mkdir(parents=True)
    records = small_log("E8", 240)
    lines = [json.dumps(record) for record in records]
    broken = [*lines[:90], "{", "[3]", lines[90].replace("1.0", "NaN"), *lines[91:120]]
    (folder / "a-long.jsonl").write_text("\n".join(broken))
    # two thirds of its lines are unclean
    unclean = [f"[{line}]" if place % 3 else line for place, line in enumerate(lines[120:])]
    (folder / "b-unclean.jsonl").write_text("\n".join(unclean))
    (folder / "c-packed.jsonl.gz").write_bytes(gzip.compress("\n".join(lines[60:200]).encode()))
    (folder / "d-document.json").write_text(json.dumps(records[100:180], indent=1))
    of_run = golden_records(GOLDEN, "e7")[:80]
    write_run(folder / "run-20260103_100000-aaaa1111", "aaaa1111", of_run, started=STARTED)
    # the same run again, as records without it
    write_media_files(folder / "files", of_run[:20])
    downloaded = folder / "run-20260103_110000-bbbb2222"
    write_media_files(downloaded / "media" / "html", golden_records(GOLDEN, "e9")[:30])
    (downloaded / "wandb-summary.json").write_text("{}")
    shutil.copytree(CASES / "history-exports", folder / "history-exports")
    shutil.copytree(CASES / "odd-json", folder / "odd-json")
    shutil.copytree(CASES / "rotated-logs", folder / "rotated-logs")
    (folder / "torn.wandb").write_bytes(b"no transaction log")
    archived = folder / "archived"
    archived.mkdir()
    (archived / "x.jsonl").write_text("\n".join(lines[200:]))
    shutil.make_archive(str(folder / "logs"), "zip", archived)
    shutil.rmtree(archived)
    settle(folder)
    return folder


def settle(folder: Path) -> None:
    """Let all files seem to be a day old: what was written just now is not known by its times."""
    yesterday = time.time() - 24 * 3600
    for path in folder.rglob("*"):
        os.utime(path, (yesterday, yesterday))


def differences(one: Store, other: Store) -> Mapping[str, int]:
    """By relation, how many rows only one of two stores holds, by DuckDB's own EXCEPT ALL."""
    with duckdb.connect() as connection:
        for name, store in (("a", one), ("b", other)):
            connection.execute(f"ATTACH '{store.warehouse}' AS {name} (READ_ONLY)")
        counts = {}
        for table in TABLES:
            query = " UNION ALL ".join(
                f"(FROM {x}.{table} EXCEPT ALL FROM {y}.{table})" for x, y in ("ab", "ba")
            )
            rows = connection.execute(f"SELECT count(*) FROM ({query})").fetchall()  # noqa: S608
            counts[table] = int(rows[0][0])
    return {table: count for table, count in counts.items() if count}
