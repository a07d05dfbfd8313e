"""Times that a person gives mean the same on every machine: an offset what it says, UTC without."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import typer

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from analytics.warehouse.rows import naive_utc
from data.errors import QueryError
from data.store import Store
from replay.commands.options import utc_time
from replay.plans.store_plan import plan_of_store
from replay.settings import VariantSettings
from tests.conftest import ROOT

ZONES = ("UTC", "America/Los_Angeles", "Asia/Kathmandu")

# run in a process of its own, as a zone is read once
_CHOOSE = """
import json, sys
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from data.store import Store
from pathlib import Path
from replay.commands.options import utc_time

with reading(Store(Path(sys.argv[1]))) as connection:
    counts = [
        len(stored_challenges(connection, ChallengeSelection(since=utc_time(text))))
        for text in sys.argv[2:]
    ]
    shown = connection.execute("SELECT ?::VARCHAR", [utc_time(sys.argv[2])]).fetchall()
print(json.dumps([counts, shown]))
"""


def logged_times(store: Store) -> list[datetime]:
    with reading(store) as connection:
        found = connection.execute("SELECT time FROM media ORDER BY time").fetchall()
    return [time for (time,) in found]


@pytest.fixture(scope="module")
def run_store(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("times"))
    ingest(store, [golden / "e7" / "wandb"])
    return store


def test_since_picks_the_same_under_every_zone(run_store: Store) -> None:
    time = logged_times(run_store)[16].replace(tzinfo=UTC)
    east, west = timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=8))
    words = [
        time.isoformat().replace("+00:00", "Z"),
        time.replace(tzinfo=None).isoformat(),
        time.astimezone(east).isoformat(),
        time.astimezone(west).isoformat(),
        (time + timedelta(microseconds=1)).isoformat(),
    ]
    found: dict[str, Any] = {}
    for zone in ZONES:
        done = subprocess.run(
            [sys.executable, "-c", _CHOOSE, str(run_store.root), *words],
            cwd=ROOT,
            env=os.environ | {"TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        found[zone] = json.loads(done.stdout)
    assert [counts for counts, _ in found.values()] == [[24, 24, 24, 24, 23]] * len(ZONES)
    assert len({str(shown) for _, shown in found.values()}) == 1


def test_a_time_is_read_with_fractions_and_offsets() -> None:
    quarter = datetime(2026, 11, 23, 3, 11, 15, 250_000, tzinfo=UTC)
    for words in (
        "2026-11-23T03:11:15.25Z",
        "2026-11-23T03:11:15.25",
        "2026-11-23 03:11:15.250",
        "2026-11-23T12:11:15.25+09:00",
        "2026-11-22T19:11:15.250-0800",
    ):
        assert utc_time(words) == quarter
    assert utc_time("2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)
    for words in ("yesterday", "", "2026-13-01", "0001-01-01T00:00+09:00"):
        with pytest.raises(typer.BadParameter, match="expected ISO 8601"):
            utc_time(words)


def test_a_time_without_a_zone_is_utc() -> None:
    assert naive_utc(datetime(2026, 1, 1)) == datetime(2026, 1, 1)
    assert naive_utc(datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=9)))) == datetime(
        2025, 12, 31, 15
    )


def test_what_has_no_time_is_left_out_with_a_word(
    golden: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = Store(tmp_path / "mixed")
    ingest(mixed, [golden / "e7" / "wandb", golden / "e9" / "challenges.jsonl"])
    since = ChallengeSelection(since=datetime(2000, 1, 1, tzinfo=UTC))
    planned, _ = plan_of_store(mixed, None, since, VariantSettings(1))
    assert len(planned) == 40
    assert "60 challenges have no time" in capsys.readouterr().err
    plan_of_store(mixed, None, ChallengeSelection(limit=1), VariantSettings(1))
    assert "no time" not in capsys.readouterr().err


def test_a_log_without_times_says_so(store: Store, golden: Path) -> None:
    ingest(store, [golden / "e9" / "challenges.jsonl"])
    for selection in (
        ChallengeSelection(since=datetime(2026, 1, 1, tzinfo=UTC)),
        ChallengeSelection(until=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        with (
            reading(store) as connection,
            pytest.raises(QueryError, match="found none of 60 challenges has a time"),
        ):
            stored_challenges(connection, selection)
