"""The settings of an ingest: what is refused, and how much of a log is in memory at a time."""

from dataclasses import dataclass

from data.settings import check_settings, setting


@dataclass(frozen=True)
class IngestSettings:
    """What is refused, and bounds of memory, which the store does not depend on."""

    strict: bool = setting(False, "Publish nothing where a record, a value or a file is rejected.")

    batch_megabytes: int = setting(
        8, "Records made columns at a time, in megabytes.", least=1, most=1024
    )
    staged_megabytes: int = setting(
        64, "Rows held in memory before they wait in a scratch file, in megabytes.", least=1
    )
    database_megabytes: int = setting(
        256, "Memory of DuckDB, beyond which it uses scratch files, in megabytes.", least=128
    )

    processes: int | None = setting(
        None, "Processes that read long logs.", unset="one a core", least=1, most=64
    )
    process_megabytes: int = setting(
        128, "Size of all logs from which several processes read, in megabytes.", least=0
    )
    clean_lines: bool = setting(
        True, "Clean lines are read by the fast reader; the rows are the same without it."
    )

    def __post_init__(self) -> None:
        check_settings(self, "ingest")
