"""What the columns of a table are, and whose history its name says it is."""

from pathlib import Path

import pytest

from data.tables.columns import (
    SeriesColumn,
    history_columns,
    image_column,
    record_columns,
    series_column,
    series_of,
)
from data.tables.run_names import run_named_by


def test_a_panel_of_the_web_site_names_run_and_bounds() -> None:
    name = "validator-4-2.0.4 - miner_mcc/uid_4"
    columns = history_columns(["Step", name, f"{name}__MIN", f"{name}__MAX"])
    assert columns is not None
    assert columns.values == {1: SeriesColumn("mcc", 4, "validator-4-2.0.4", 2, 3)}
    assert columns.wanted == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("miner_f1_score/uid_250", ("f1_score", 250)),
        ("miner_f1_score/uid_", None),
        ("miner_other/uid_4", None),
        ("miner_mcc/uid_4.5", None),
        ("miner_mcc/uid_١", None),
        ("aggregated/mcc", None),
    ],
)
def test_a_series_is_told_by_its_whole_name(name: str, found: tuple[str, int] | None) -> None:
    column = series_column(name)
    assert (column and (column[0].series, column[0].uid)) == found


@pytest.mark.parametrize(
    "columns",
    [
        ["run_id", "step", "uid", "series", "value"],
        ["_step", "variable", "value"],
        ["Run ID", "Step", "miner_uid", "metric", "Value"],
        ["step", "uid", "mcc"],
        ["", "step", "uid", "miner_image_mcc", "Reward"],
    ],
)
def test_long_tables_are_histories(columns: list[str]) -> None:
    found = history_columns(columns)
    assert found is not None
    assert not found.values


@pytest.mark.parametrize(
    "columns", [[], ["step", "value"], ["uid", "mcc"], ["_step", "label"], ["step", "uid", "other"]]
)
def test_other_tables_are_none(columns: list[str]) -> None:
    assert history_columns(columns) is None


def test_columns_of_records_and_of_images() -> None:
    assert record_columns(["label", "predictions", "miner_uids", "rewards", "x"])
    assert not record_columns(["label", "predictions"])
    assert image_column(["id", "Image_jpeg"]) == "Image_jpeg"
    assert image_column(["miner_image_mcc", "id"]) is None
    assert series_of("predictions") == series_of("Prediction") == "predictions"
    assert series_of("uid") is None


@pytest.mark.parametrize(
    ("path", "run_id"),
    [
        ("ab12cd34.csv", "ab12cd34"),
        ("ab12cd34.history.csv.gz", "ab12cd34"),
        ("ab12cd34_history.parquet", "ab12cd34"),
        ("run-my_own-id.parquet", "my_own-id"),
        ("run-20260101_120000-ab12cd34.csv.2.gz", "ab12cd34"),
        ("ab12cd34/history.csv", "ab12cd34"),
        ("run-20260101_120000-ab12cd34/x.csv", "ab12cd34"),
        ("artifacts/run-ab12cd34-history:v3/0000.parquet", "ab12cd34"),
        ("run-ab12cd34-history-v3/0000.parquet", "ab12cd34"),
        ("exported.csv", None),
        ("history.csv", None),
        ("run-history.csv", None),
        ("wandb_export_2026-01-03T10_11_12.101+01_00.csv", None),
        ("downloads/0000.parquet", None),
    ],
)
def test_a_run_is_named_by_the_file_or_else_its_folder(path: str, run_id: str | None) -> None:
    assert run_named_by(Path(path)) == run_id
