"""Tell what many lines of a file have in common once, and stop where a file is no log."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from data.columnar.clean_record import CleanRecord
from data.columnar.clean_rows import CleanRows
from data.records.not_media_record import HISTORY_REMEDY
from data.records.types import LogItem, Origin, Reject

# After so many broken records without a good one the file is no log, and the rest is not read.
MAX_BROKEN_IN_A_ROW = 100_000


class HistoryRow:
    """Stands for a row of a W&B history; those of a file are counted in one reject."""


def without_repeated_rejects(
    items: Iterable[LogItem | CleanRecord | CleanRows | HistoryRow], file: str
) -> Iterator[LogItem | CleanRecord | CleanRows]:
    """The items of a file, with history rows in one reject and a limit of broken ones in a row."""
    history_rows = broken = 0
    for item in items:
        if isinstance(item, HistoryRow):
            history_rows += 1
            continue
        if isinstance(item, CleanRows):
            history_rows += sum(isinstance(other, HistoryRow) for _, other in item.others)
            kept = [(n, other) for n, other in item.others if not isinstance(other, HistoryRow)]
            yield replace(item, others=kept)
            broken = 0  # most of its records are good
            continue
        yield item
        broken = broken + 1 if isinstance(item, Reject) else 0
        if broken == MAX_BROKEN_IN_A_ROW:
            problem = f"{broken} broken records in a row"
            reason = f"log: found {problem}; expected Media records; the rest is not read"
            yield Reject(Origin(file, None), reason, "")
            break
    if history_rows:
        problem = f"{history_rows} rows of a W&B history"
        reason = f"log: found {problem}; expected Media records; {HISTORY_REMEDY}"
        yield Reject(Origin(file, None), reason, "")
