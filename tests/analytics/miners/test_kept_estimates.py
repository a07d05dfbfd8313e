"""Difficulties and doubtful labels are kept with what they rest on."""

from dataclasses import replace

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from analytics.commands.miners import app
from analytics.ingest.ingest import ingest
from analytics.miners.kept_estimates import (
    DIFFICULTIES,
    estimates_basis,
    keep_estimates,
    kept_difficulties,
    kept_estimates,
)
from analytics.miners.report import MinerReport, miner_report
from analytics.warehouse.connection import reading
from data.store import Store
from tests.conftest import GOLDEN


@pytest.fixture
def logged(store: Store) -> Store:
    ingest(store, [GOLDEN / "e9" / "challenges.jsonl"])
    return store


def report_of(store: Store) -> tuple[MinerReport, str]:
    with reading(store) as connection:
        return miner_report(connection), estimates_basis(connection)


def test_the_command_keeps_what_its_report_says(logged: Store) -> None:
    assert kept_estimates(logged) is None
    done = CliRunner().invoke(app, ["miners", "--store", str(logged.root), "--json"])
    assert done.exit_code == 0
    report, basis = report_of(logged)
    assert report.model is not None
    kept = kept_estimates(logged)
    assert kept is not None
    assert kept.basis == basis
    assert kept.labels == report.wrong_labels
    assert kept.no_model is None
    table = kept_difficulties(logged, kept.basis)
    assert kept.challenges == table.num_rows == report.model.challenges.height
    assert table.to_pydict() == {
        name: report.model.challenges[name].to_list() for name in ("challenge_id", "difficulty")
    }


def test_a_report_on_one_validator_alone_is_not_kept(logged: Store) -> None:
    done = CliRunner().invoke(
        app, ["miners", "--store", str(logged.root), "--json", "--validator", "life-1"]
    )
    assert done.exit_code == 0
    assert kept_estimates(logged) is None


def test_other_logs_are_another_basis_and_take_the_place_of_the_first(logged: Store) -> None:
    report, basis = report_of(logged)
    keep_estimates(logged, report, basis)
    ingest(logged, [GOLDEN / "e7" / "challenges.jsonl"])
    report, other = report_of(logged)
    assert other != basis
    stale = kept_estimates(logged)
    assert stale is not None
    assert stale.basis == basis
    keep_estimates(logged, report, other)
    kept = kept_estimates(logged)
    assert kept is not None
    assert kept.basis == other
    assert len(list(logged.miners.glob("*.parquet"))) == 1
    assert kept_difficulties(logged, basis) == DIFFICULTIES.empty_table()


def test_without_a_model_it_is_said_why(logged: Store) -> None:
    report, basis = report_of(logged)
    why = "one miner: found 1; expected 2"
    keep_estimates(logged, replace(report, model=None, wrong_labels=None, no_model=why), basis)
    kept = kept_estimates(logged)
    assert kept is not None
    assert (kept.labels, kept.no_model, kept.challenges) == (None, why, 0)


@pytest.mark.parametrize("name", ["estimates.json", "difficulties-*.parquet"])
def test_what_is_damaged_is_as_if_it_were_not_there(logged: Store, name: str) -> None:
    report, basis = report_of(logged)
    keep_estimates(logged, report, basis)
    (file,) = logged.miners.glob(name)
    file.write_bytes(file.read_bytes()[:40])
    if name.endswith(".json"):
        assert kept_estimates(logged) is None
    else:
        assert kept_difficulties(logged, basis) == DIFFICULTIES.empty_table()
        file.unlink()
        assert kept_estimates(logged) is None


def test_a_file_of_other_columns_gives_no_difficulties(logged: Store) -> None:
    report, basis = report_of(logged)
    keep_estimates(logged, report, basis)
    (file,) = logged.miners.glob("*.parquet")
    pq.write_table(pq.read_table(file).rename_columns(["a", "b"]), file)
    found = kept_difficulties(logged, basis)
    assert found.schema.equals(DIFFICULTIES)
    assert not found["challenge_id"].drop_null().to_pylist()


def test_a_store_only_to_be_read_is_left_as_it_is(logged: Store) -> None:
    report, basis = report_of(logged)
    logged.miners.write_bytes(b"a file in the folder's place")
    keep_estimates(logged, report, basis)
    assert kept_estimates(logged) is None
