from pathlib import Path

import polars as pl
import pytest

from analytics.leaks.training_rows import read_training_rows
from data.errors import SourceError

COLUMNS = ("parquet", "row", "vid_id", "gps_lat", "gps_lon")


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_are_read_with_the_data_sets_own_names(tmp_path: Path, suffix: str) -> None:
    frame = pl.DataFrame(
        {
            "parquet": ["/some/where/a.parquet", "b.parquet"],
            "original_index": ["3", "4"],
            "video_info.vid_id": ["v1", None],
            "gps": ["[40.5, -80.25]", None],
        }
    )
    path = tmp_path / f"rows.{suffix}"
    frame.write_csv(path) if suffix == "csv" else frame.write_parquet(path)

    rows = read_training_rows(path)

    assert rows.rows() == [
        ("a.parquet", 3, "v1", 40.5, -80.25),
        ("b.parquet", 4, None, None, None),
    ]
    assert tuple(rows.columns) == COLUMNS


@pytest.mark.parametrize(
    "vid_id", ["0007", "12e7", "1.0", "true", "2024-01-01", "0x1F", "-0", "1_0"]
)
def test_a_csv_column_of_text_is_never_guessed_to_be_anything_else(
    tmp_path: Path, vid_id: str
) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"parquet,row,vid_id\na.parquet,3,{vid_id}\n", encoding="utf-8")
    assert read_training_rows(path).rows() == [("a.parquet", 3, vid_id, None, None)]


@pytest.mark.parametrize("vid_ids", [[7, 8], [7.0, None], [True, False]])
def test_video_ids_that_were_made_numbers_are_refused(
    tmp_path: Path, vid_ids: list[object]
) -> None:
    """Their zeros in front are lost, so they would match nothing without a word."""
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"parquet": ["a.parquet"] * 2, "row": [1, 2], "vid_id": vid_ids}).write_parquet(
        path
    )
    with pytest.raises(SourceError, match="expected text"):
        read_training_rows(path)


@pytest.mark.parametrize("row", ["3", "03", "3.0", 3, 3.0])
def test_a_row_is_a_number_however_it_is_written(tmp_path: Path, row: object) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"parquet": ["a.parquet"], "row": [row]}).write_parquet(path)
    assert read_training_rows(path)["row"].to_list() == [3]
    pl.DataFrame({"parquet": ["a.parquet"], "row": [row]}).write_csv(tmp_path / "rows.csv")
    assert read_training_rows(tmp_path / "rows.csv")["row"].to_list() == [3]


@pytest.mark.parametrize("row", [3.5, True, "", "three", None, float("nan"), 2**40])
def test_what_is_no_row_is_refused_and_never_cut_to_one(tmp_path: Path, row: object) -> None:
    path = tmp_path / "rows.parquet"
    pl.DataFrame({"parquet": ["a.parquet"], "row": [row]}).write_parquet(path)
    with pytest.raises(SourceError, match="whole number"):
        read_training_rows(path)


def test_brackets_in_a_files_name_are_no_pattern(tmp_path: Path) -> None:
    frame = pl.DataFrame({"parquet": ["a.parquet"], "row": [1]})
    frame.write_csv(tmp_path / "rows[1].csv")
    frame.write_parquet(tmp_path / "rows[1].parquet")
    for suffix in ("csv", "parquet"):
        assert read_training_rows(tmp_path / f"rows[1].{suffix}").height == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("parquet\na.parquet\n", "no column row"),
        ("parquet,row\na.parquet,x\n", "training rows"),
        ("parquet,row\na.parquet,-1\n", "whole number in 0"),
        ("parquet,row\na.txt,1\n", "NAME.parquet"),
        ("parquet,row,gps_lat,gps_lon\na.parquet,1,91,0\n", "degrees"),
        ("parquet,row,gps\na.parquet,1,nowhere\n", "latitude"),
        ("", "empty"),
        ("parquet,row\n", "found no rows"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(SourceError, match=message) as raised:
        read_training_rows(path)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="training rows"):
        read_training_rows(tmp_path / "none.parquet")
