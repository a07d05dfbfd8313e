"""The columns beside the images of a source shard; no image is read."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from data.errors import SourceError
from data.records.fields import FIELDS
from data.sources.parquet_file import parquet_file
from data.sources.shard import Shard

METADATA_COLUMNS = tuple(field.key[1] for field in FIELDS if field.key[0] == "metadata")
"""The data set's names of all columns that a record repeats, label among them."""

_REQUIRED = ("label", "scene_description")


def row_metadata(shard: Shard, columns: Sequence[str] = METADATA_COLUMNS) -> list[dict[str, Any]]:
    """Label and metadata of every row of a shard, in its order, by the data set's column names.

    Args:
        shard: of the public data set's form.
        columns: those to read, where the shard has them.

    Raises:
        SourceError: the shard cannot be read, or is not of the public data set's form.
        SourceAccessError: a server does not answer, or refuses.
    """
    try:
        file = parquet_file(shard.source)
        names = file.schema_arrow.names
        missing = [name for name in _REQUIRED if name not in names]
        if missing:
            raise SourceError(
                f"shard {shard.path.name}",
                found=f"no column {missing[0]}",
                expected="the columns of the public data set",
            )
        rows: list[dict[str, Any]] = file.read([c for c in columns if c in names]).to_pylist()
        return rows
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            f"shard {shard.path.name}",
            found=str(error).splitlines()[0],
            expected="readable parquet data",
            remedy="fetch it again",
        ) from None
