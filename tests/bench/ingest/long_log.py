"""A long log of JSON lines: simulated challenges of as many source rows as the data set has."""

import json
from pathlib import Path

from tests.worlds.simulated_logs import simulated_log

SOURCE_ROWS = 8549
"""Rows of the public data set, train and test."""
_UIDS, _SEED = 128, 15
_MARK = "@copy@"


def write_log(path: Path, records: int) -> None:
    """Write a log of about 5.4 kB a record, a third of them synthetic; no two are equal."""
    lines = []
    for row, record in enumerate(
        simulated_log(_SEED, "E8", min(records, SOURCE_ROWS), uids=_UIDS, synthetic_share=1 / 3)
    ):
        record["path"] = f"{_MARK}/{record['path']}"
        metadata = record["metadata"]
        if "original_index" in metadata:
            metadata |= {"original_index": str(row), "id": row, "video_info.frame_id": f"{row}.jpg"}
            metadata["video_info.vid_id"] = f"{row:032x}"
        lines.append(json.dumps(record).encode() + b"\n")
    with path.open("wb") as file:
        for first in range(0, records, SOURCE_ROWS):
            copy = str(first).encode()
            part = lines[: records - first]
            file.writelines(line.replace(_MARK.encode(), copy, 1) for line in part)
