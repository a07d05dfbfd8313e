"""Open a parquet file by its place: mapped into memory here, read by range from a server."""

from pathlib import Path

import pyarrow.parquet as pq

from data.sources.remote_file import RemoteFile
from data.text import utf8_name


def parquet_file(source: Path | RemoteFile) -> pq.ParquetFile:
    """Open a parquet file; its footer is read.

    Of a server's file a row group is one request, or few: columns near to each other are read at
    once (`pre_buffer`).

    Raises:
        OSError: a path that cannot be opened, or is not UTF-8.
        pyarrow.ArrowException: no parquet file.
        SourceAccessError: a server does not answer, or refuses.
    """
    if isinstance(source, RemoteFile):
        return pq.ParquetFile(source, pre_buffer=True)
    return pq.ParquetFile(utf8_name(source), memory_map=True)
