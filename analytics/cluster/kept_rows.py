"""What machines sent of logs, in files until its turn comes: memory holds none of it."""

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from analytics.cluster.sent_rows import SentRows, Stretch
from data.atomic_files import write_error
from data.columnar.blocks import Block
from data.columnar.clean_rows import CleanRows
from data.columnar.stored_rows import BlockRows


@dataclass(frozen=True)
class KeptRows:
    """A `SentRows` in three files; those of rows stay until the rows are merged."""

    media: Path
    responses: Path
    rest: Path

    def block(self) -> Block:
        """What was sent of lines."""
        size, unclean = self._taken_rest()
        return Block(size, self.media, self.responses, unclean)

    def stretches(self) -> Iterator[tuple[int, Iterable[Any]]]:
        """What was sent of logs: the number of each, and items of it."""
        for stretch in self._taken_rest():
            yield stretch.log, self._items(stretch)

    def delete(self) -> None:
        """Drop it, as it will be sent again."""
        for file in (self.media, self.responses, self.rest):
            file.unlink(missing_ok=True)

    def _items(self, stretch: Stretch) -> Iterable[Any]:
        if not stretch.records:
            return (item for _, item in stretch.items)
        media, responses = (BlockRows(file, None, None) for file in (self.media, self.responses))
        return (CleanRows(media, responses, stretch.records, stretch.items, stretch.size),)

    def _taken_rest(self) -> Any:
        # of a worker of this very command, as Ray's own messages are
        rest = pickle.loads(self.rest.read_bytes())  # noqa: S301
        self.rest.unlink()
        return rest


def keep(sent: SentRows, scratch: Path, name: str) -> KeptRows:
    """Put what was sent into files of a scratch folder.

    Raises:
        WriteError: the disk is full.
    """
    media, responses = scratch / f"media-of-{name}.arrow", scratch / f"responses-of-{name}.arrow"
    kept = KeptRows(media, responses, scratch / f"rest-of-{name}")
    for file, content in zip((kept.media, kept.responses, kept.rest), sent, strict=True):
        if content:
            try:
                file.write_bytes(content)
            except OSError as error:
                raise write_error(file, error) from error
    return kept


def items_of_logs(kept: Iterable[KeptRows]) -> Iterator[Iterator[Any]]:
    """The items of each log that was asked for together, in order."""
    stretches = chain.from_iterable(rows.stretches() for rows in kept)
    for _, of_log in groupby(stretches, key=lambda stretch: stretch[0]):
        yield chain.from_iterable(items for _, items in of_log)
