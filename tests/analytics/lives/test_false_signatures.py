"""Who logged a run: its config, and whether its hotkey signed it, with keys made here."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.ingest.ingest import ingest
from analytics.lives.order import put_in_order
from analytics.lives.text import lives_line
from analytics.queries.era_coverage import era_coverage
from analytics.queries.example_queries import example_queries
from analytics.queries.overview import overview
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from analytics.warehouse.false_signatures import FalseSignature, false_signatures_text
from data.store import Store
from tests.conftest import golden_records
from tests.data.validators.hotkeys import Hotkey
from tests.worlds.wandb_runs import write_media_files, write_run

Json = dict[str, Any]

NEURON = {"moving_average_alpha": 0.05, "sample_size": 10}
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
HOTKEY, ANOTHER = Hotkey("validator"), Hotkey("another")


@pytest.fixture
def e7(golden: Path) -> list[Json]:
    return golden_records(golden, "e7")


def runs(store: Store) -> list[tuple[Any, ...]]:
    return query(store, "SELECT run_id, hotkey, signature FROM runs ORDER BY ALL").rows


def test_a_run_says_who_logged_it_and_proves_it(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    """As the validator does it: it signs the run's id once W&B gave it one."""
    before = {"uid": 4, "netuid": 72, "version": "2.0.4", "type": "validator", "neuron": NEURON}
    write_run(
        tmp_path / "r",
        "ab12cd34",
        e7[:5],
        started=STARTED,
        # a process that goes on with a new run still holds the signature of the one before
        config=HOTKEY.config("another-run", **before),
        config_changes=[HOTKEY.config("ab12cd34", **before)],
    )
    report = ingest(store, [tmp_path / "r"])
    assert (report.rejects, report.false_signatures) == ([], [])
    asked = "SELECT validator_uid, hotkey, version, netuid, alpha, sample_size, type, signature"
    assert query(store, asked + " FROM runs").rows == [
        (4, HOTKEY.address, "2.0.4", 72, 0.05, 10, "validator", "proved")
    ]


def test_a_run_in_anothers_name_is_not_of_that_validators_life(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    """Its numbers stay apart, and wherever lives are named it is said."""
    config = {"uid": 4, "neuron": NEURON}
    write_run(
        tmp_path / "own", "ab12cd34", e7[:40], started=STARTED, config=HOTKEY.config("ab12cd34")
    )
    impostor = HOTKEY.config("ab12cd34", **config)  # copied from the public run
    write_run(tmp_path / "false", "ef56ab78", e7[200:240], started=STARTED, config=impostor)
    write_run(tmp_path / "unsigned", "aa11aa11", e7[300:310], started=STARTED, config=config)
    report = ingest(store, [tmp_path])
    said = [FalseSignature("ef56ab78", HOTKEY.address)]
    assert report.false_signatures == said
    assert runs(store) == [
        ("aa11aa11", None, "absent"),
        ("ab12cd34", HOTKEY.address, "proved"),
        ("ef56ab78", HOTKEY.address, "false"),
    ]
    with reading(store) as connection:
        lives = put_in_order(connection)
        assert overview(connection).totals.false_signatures == 1
    assert {life.runs: (life.hotkey, life.false_signatures) for life in lives} == {
        ("ab12cd34",): (HOTKEY.address, ()),
        ("ef56ab78",): (None, tuple(said)),
        ("aa11aa11",): (None, ()),
    }
    line = lives_line(lives)
    assert line.count("SIGNATURE FALSE") == 1
    assert f"run ef56ab78 names hotkey {HOTKEY.address} that did not sign it" in line


def test_a_copy_from_before_the_signature_does_no_harm(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    old, own = HOTKEY.config("another-run"), HOTKEY.config("ab12cd34")
    write_run(tmp_path / "early", "ab12cd34", e7[:5], started=STARTED, config=old)
    assert ingest(store, [tmp_path / "early"]).false_signatures
    write_run(tmp_path / "r", "ab12cd34", e7[:9], started=STARTED, config=old, config_changes=[own])
    assert ingest(store, [tmp_path / "r"]).false_signatures == []
    with reading(store) as connection:
        assert [life.hotkey for life in put_in_order(connection)] == [HOTKEY.address]


def test_one_false_file_of_a_run_is_enough_everywhere(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    """A copy without the signature does not make the run that hotkey's; only a true one does."""
    forged = HOTKEY.config("another-run", uid=4)
    bare = {"hotkey": HOTKEY.address, "uid": 4}
    write_run(tmp_path / "a", "ab12cd34", e7[:9], started=STARTED, config=forged)
    write_run(tmp_path / "b", "ab12cd34", e7[:12], started=STARTED, config=bare)
    said = [FalseSignature("ab12cd34", HOTKEY.address)]
    assert ingest(store, [tmp_path]).false_signatures == said
    with reading(store) as connection:
        (covered,) = era_coverage(connection)
        (life,) = put_in_order(connection)
        assert overview(connection).totals.false_signatures == 1
    assert (covered.hotkey, covered.run_id) == (None, "ab12cd34")
    assert (life.hotkey, life.uid) == (None, None)
    listed = query(store, example_queries()["Runs that name a hotkey which did not sign them"])
    assert {row[0] for row in listed.rows} == {"ab12cd34"}


def test_an_unsigned_copy_does_not_hide_whose_a_signed_run_is(
    store: Store, tmp_path: Path, e7: list[Json]
) -> None:
    own = HOTKEY.config("ab12cd34", uid=4)
    write_run(tmp_path / "a", "ab12cd34", e7[:9], started=STARTED, config=own)
    other = {"hotkey": ANOTHER.address, "uid": 9}
    write_run(tmp_path / "b", "ab12cd34", e7[:12], started=STARTED, config=other)
    assert ingest(store, [tmp_path]).false_signatures == []
    with reading(store) as connection:
        (covered,) = era_coverage(connection)
        (life,) = put_in_order(connection)
    assert covered.hotkey == HOTKEY.address
    assert (life.hotkey, life.uid) == (HOTKEY.address, 4)


def test_signatures_are_checked_once_that_is_possible(
    store: Store, tmp_path: Path, e7: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "r"
    write_run(run, "ab12cd34", e7[:5], started=STARTED, config=HOTKEY.config("ab12cd34"))
    for file in (run, *run.rglob("*")):  # long enough ago to be known by its time
        os.utime(file, (STARTED.timestamp(), STARTED.timestamp()))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "sr25519", None)
        ingest(store, [run])
        assert ingest(store, [run]).logs_unchanged == 1
    assert runs(store) == [("ab12cd34", HOTKEY.address, "unchecked")]
    assert ingest(store, [run]).changed
    assert runs(store) == [("ab12cd34", HOTKEY.address, "proved")]
    assert ingest(store, [run]).logs_unchanged == 1


@pytest.mark.parametrize(
    ("folder", "state"),
    [
        ("ab12cd34", "proved"),
        ("run-20260101_120000-ab12cd34", "proved"),
        ("ef56ab78", "false"),  # such ids W&B makes up
        ("run-20260101_120000-ef56ab78", "false"),
        ("monday", "unchecked"),
    ],
)
def test_a_downloaded_run_is_checked_by_the_id_that_its_folder_gives(
    store: Store, tmp_path: Path, e7: list[Json], folder: str, state: str
) -> None:
    write_media_files(tmp_path / folder / "media" / "html", e7[:3])
    config = {key: {"value": value} for key, value in HOTKEY.config("ab12cd34").items()}
    (tmp_path / folder / "config.yaml").write_text(json.dumps(config))
    ingest(store, [tmp_path / folder])
    assert [signature for _, _, signature in runs(store)] == [state]


def test_what_a_config_says_cannot_write_on_a_terminal() -> None:
    evil = [FalseSignature(f"a\x1b[31m{number}\n", "5\u202eF") for number in range(5)]
    text = false_signatures_text(evil)
    assert text.isprintable()
    assert text.endswith("2 more runs name one that did not sign them")
