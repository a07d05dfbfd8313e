"""What crosses between the process of a run and its workers: a part to answer, and its answers.

A worker is sent planned challenges and returns Parquet; no pixel crosses. A part that was answered
twice is equal, and counted once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replay.plans.plan import Planned


@dataclass(frozen=True, eq=False)
class PartWork:
    """What is left to do of a part.

    `index` of the part in its run; `challenges` to answer; `metadata` by challenge if the candidate
    wants any.
    """

    index: int
    challenges: Sequence[Planned]
    metadata: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class PartAnswer:
    """The answers to a part's challenges, as a Parquet file of `part_file.PART_SCHEMA`."""

    index: int
    parquet: bytes
