"""A shard's rows, labels and images, against what pyarrow and pandas make of the same file."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import SourceError
from data.sources.shard import Shard
from data.sources.shards import Shards
from tests.worlds.stores import SHARD, encoded, picture

RAW = [encoded(picture((32, 24), seed=k), "PNG" if k else "JPEG") for k in range(3)]
TEXT = [base64.b64encode(raw).decode() for raw in RAW]


def struct(fields: Sequence[tuple[str, Any, Any]]) -> pa.Array:
    """A struct column: name, type and values of each field."""
    arrays = [pa.array(values, kind) for _, kind, values in fields]
    return pa.StructArray.from_arrays(arrays, names=[name for name, _, _ in fields])


COLUMNS = {
    "binary": pa.array(RAW, pa.binary()),
    "large": pa.array(RAW, pa.large_binary()),
    "view": pa.array(RAW, pa.binary_view()),
    "dictionary": pa.array(RAW, pa.binary()).dictionary_encode(),
    "large dictionary": pa.array(RAW, pa.large_binary()).dictionary_encode(),
    "fixed size": pa.array([RAW[1]] * 3, pa.binary(len(RAW[1]))),
    "text": pa.array(TEXT, pa.string()),
    "large text": pa.array(TEXT, pa.large_string()),
    "text view": pa.array(TEXT, pa.string_view()),
    "text dictionary": pa.array(TEXT, pa.string()).dictionary_encode(),
    "text in lines": pa.array([base64.encodebytes(raw).decode() for raw in RAW]),
    "text as bytes": pa.array([text.encode() for text in TEXT], pa.binary()),
    "struct": struct([("bytes", pa.binary(), RAW), ("path", pa.string(), ["x"] * 3)]),
    "struct, path first": struct([("path", pa.string(), ["x"] * 3), ("bytes", pa.binary(), RAW)]),
    "struct of another key": struct(
        [("data", pa.int8(), [1] * 3), ("raw_BYTES", pa.binary(), RAW)]
    ),
    "struct of image": struct([("Image", pa.binary(), RAW), ("bytes", pa.binary(), [b"no"] * 3)]),
    "struct of a dotted key": struct([("x.bytes", pa.binary(), RAW)]),
    "struct of views": struct([("bytes", pa.binary_view(), RAW)]),
    "struct of text": struct([("bytes", pa.large_string(), TEXT)]),
}


def write(folder: Path, column: pa.Array, **more: Any) -> Shard:
    rows = len(column)
    table = pa.table({"id": list(range(rows)), "image": column, "gps": [None] * rows} | more)
    # pyarrow cannot cut a struct of views
    viewed = pa.types.is_struct(column.type) and column.type[0].type == pa.binary_view()
    pq.write_table(table, folder / SHARD, row_group_size=None if viewed else 2)
    return Shards(folder)[SHARD]


def images(shard: Shard) -> list[bytes]:
    found = []
    for position in range(shard.rows):
        group = shard.group_of(position)
        found.append(shard.row_in(group, shard.read_group(group), position).image)
    return found


def validators_images(path: Path) -> list[bytes]:
    """As DOMAIN.md §1 tells it, over pandas' own rows."""
    frame = pq.read_table(path).to_pandas()
    column = next(name for name in frame.columns if "image" in name.lower())
    return [validators_bytes(value) for value in frame[column]]


def validators_bytes(value: Any) -> bytes:
    if isinstance(value, dict):
        key = next(k for k in value if "bytes" in k.lower() or "image" in k.lower())
        return validators_bytes(value[key])
    if isinstance(value, str) or not value.startswith((b"\xff\xd8", b"\x89PNG")):
        return base64.b64decode(value)
    return bytes(value)


@pytest.mark.parametrize("form", COLUMNS)
def test_every_form_of_an_image_column_gives_the_validators_bytes(
    tmp_path: Path, form: str
) -> None:
    shard = write(tmp_path, COLUMNS[form])
    assert images(shard) == validators_images(tmp_path / SHARD)
    assert set(images(shard)) <= set(RAW)
    shard.check()


class HubImage(pa.ExtensionType):  # type: ignore[misc]  # pyarrow has no types
    """An extension over a struct, as the `datasets` library registers them."""

    def __init__(self) -> None:
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        super().__init__(kind, "tests.hub_image")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, _storage: pa.DataType, _written: bytes) -> "HubImage":
        return cls()


@pytest.mark.parametrize("known", [True, False])
def test_an_extension_type_is_read_whether_or_not_it_is_known(tmp_path: Path, known: bool) -> None:
    pa.register_extension_type(HubImage())
    try:
        column = pa.ExtensionArray.from_storage(HubImage(), COLUMNS["struct"])
        if not known:
            write(tmp_path, column)
            pa.unregister_extension_type("tests.hub_image")
        shard = write(tmp_path, column) if known else Shards(tmp_path)[SHARD]
        assert images(shard) == RAW
    finally:
        if known:
            pa.unregister_extension_type("tests.hub_image")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            struct([("data", pa.binary(), RAW), ("path", pa.string(), ["x"] * 3)]),
            "contains 'bytes'",
        ),
        (pa.array([1, 2, 3]), "no bytes"),
        (pa.array([[1], [2], [3]]), "no bytes"),
        (pa.array([None, None, None], pa.binary()), "no bytes"),
        (pa.array(["é", "é", "é"]), "no bytes"),
    ],
)
def test_an_odd_image_column_is_one_line(tmp_path: Path, column: pa.Array, message: str) -> None:
    with pytest.raises(SourceError, match=message) as raised:
        images(write(tmp_path, column))
    assert "\n" not in str(raised.value)


def test_two_columns_of_the_images_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([COLUMNS["binary"]] * 2, names=["image", "image"])
    pq.write_table(table, tmp_path / SHARD)
    with pytest.raises(SourceError, match="columns image, image"):
        Shard(tmp_path / SHARD)


def test_text_that_is_no_text_costs_its_row(tmp_path: Path) -> None:
    """A string column may hold bytes that are no UTF-8."""
    texts = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"], pa.binary()).buffers())
    shard = write(tmp_path, pa.array(RAW[:1], pa.binary()), gps=texts)
    with pytest.raises(SourceError, match="row 0 of"):
        images(shard)


INDEXES = {
    "none": None,
    "start": pd.RangeIndex(100, 103),
    "step": pd.RangeIndex(10, 16, 2),
    "down": pd.RangeIndex(3, 0, -1),
    "shuffled": pd.Index([7, 3, 5]),
    "named": pd.Index([7, 3, 5], name="image_number"),
    "repeated": pd.Index([7, 7, 5]),
    "text": pd.Index(["7", "03", "x"]),
    "floats": pd.Index([7.0, 3.5, float("nan")]),
    "flags": pd.Index([True, False, True]),
    "times": pd.date_range("2026-01-01", periods=3),
    "negative": pd.Index([-1, 0, 1]),
    "categories": pd.CategoricalIndex(["7", "5", "7"]),
    "two levels": pd.MultiIndex.from_tuples([(0, 1), (1, 2), (2, 3)]),
}


def expected_labels(path: Path) -> list[int | None]:
    """The labels of pandas' own index, by their text, where that is a whole number."""
    labels: list[int | None] = []
    for label in pq.read_table(path).to_pandas().index:
        text = str(label).removesuffix(".0")
        labels.append(int(text) if text.isdigit() else None)
    return labels


def write_frame(path: Path, index: pd.Index | None, rows: int = 3, **options: Any) -> Shard:
    frame = pd.DataFrame({"image": [RAW[k % 3] for k in range(rows)], "id": range(rows)}, index)
    frame.to_parquet(path, row_group_size=2, **options)
    return Shard(path)


@pytest.mark.parametrize("name", INDEXES)
def test_a_row_is_named_by_the_label_of_pandas_index(tmp_path: Path, name: str) -> None:
    shard = write_frame(tmp_path / SHARD, INDEXES[name])
    assert list(shard.labels) == expected_labels(tmp_path / SHARD)
    assert images(shard) == RAW
    for position, label in enumerate(shard.labels):
        assert label is None or position in shard.positions(label)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=8), st.booleans())
def test_labels_of_any_whole_numbers_are_pandas_own(
    tmp_path_factory: pytest.TempPathFactory, labels: list[int], sliced: bool
) -> None:
    path = tmp_path_factory.mktemp("labels") / SHARD
    index = pd.RangeIndex(labels[0], labels[0] + len(labels)) if sliced else pd.Index(labels)
    shard = write_frame(path, index, len(labels))
    assert list(shard.labels) == expected_labels(path) == list(index)
    assert all(shard.positions(k) == [p for p, one in enumerate(index) if one == k] for k in labels)


def test_a_range_of_another_length_and_an_index_that_is_gone_do_not_count(tmp_path: Path) -> None:
    """As pyarrow has it: metadata of pandas outlives a filter or a dropped column."""
    table = pa.Table.from_pandas(pd.DataFrame({"image": RAW}, pd.RangeIndex(5, 8)))
    pq.write_table(table.slice(1), tmp_path / "cut.parquet")
    shuffled = pa.Table.from_pandas(pd.DataFrame({"image": RAW}, pd.Index([7, 3, 5])))
    pq.write_table(shuffled.drop_columns("__index_level_0__"), tmp_path / "gone.parquet")
    for name, labels in (("cut", [0, 1]), ("gone", [0, 1, 2])):
        path = tmp_path / f"{name}.parquet"
        assert list(Shard(path).labels) == expected_labels(path) == labels


def test_metadata_of_pandas_that_are_none_are_one_line(tmp_path: Path) -> None:
    table = pa.table({"image": RAW})
    for written in (b"{", b'{"index_columns": [{"kind": "odd"}]}', b"7"):
        pq.write_table(table.replace_schema_metadata({"pandas": written}), tmp_path / SHARD)
        with pytest.raises(SourceError, match="columns of train"):
            Shard(tmp_path / SHARD)


POINTERS = {
    "lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
    "xet": b"# xet version 0\nfilesize = 12345\nhash = 'ab'\n",
}


@pytest.mark.parametrize("kind", POINTERS)
def test_a_pointer_file_says_what_it_is_and_how_to_get_the_file(tmp_path: Path, kind: str) -> None:
    (tmp_path / SHARD).write_bytes(POINTERS[kind])
    with pytest.raises(SourceError, match="pointer file in place of the 12345 bytes") as raised:
        Shard(tmp_path / SHARD)
    assert {"lfs": "Git LFS", "xet": "Xet"}[kind] in str(raised.value)
    assert "git lfs pull" in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b"PAR1" + bytes(100), "cut off"),
        (b"<!DOCTYPE html><title>404</title>", "begins b'<!DOCTYPE html>"),
        (bytes(64), r"begins b'\\x00"),
        (b"PAR1" + bytes(40) + b"\xff\xff\xff\x7fPAR1", "expected a parquet file"),
    ],
)
def test_what_is_no_shard_says_what_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / SHARD).write_bytes(content)
    with pytest.raises(SourceError, match=message) as raised:
        Shard(tmp_path / SHARD)
    assert "fetch it again" in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.integers(1, 400))
def test_a_download_cut_off_anywhere_says_so(
    tmp_path_factory: pytest.TempPathFactory, lost: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / SHARD
    pq.write_table(pa.table({"image": RAW}), path)
    path.write_bytes(path.read_bytes()[:-lost])
    with pytest.raises(SourceError, match="a download that was cut off"):
        Shard(path)
