"""What an ingest reads, staged as rows: what decides the merge in DuckDB, the rest outside."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from analytics.ingest.record_series import record_series
from analytics.ingest.settings import IngestSettings
from analytics.ingest.staged_rows import StagedRows
from analytics.warehouse import rows
from analytics.warehouse.statements import statements
from data.columnar.batch import CleanBatch
from data.columnar.blocks import Schemas
from data.columnar.clean_record import CleanRecord
from data.columnar.clean_rows import CleanRows
from data.errors import LogError
from data.records.types import Logged, LogItem, Origin, Reject, Run, SeriesStep
from data.text import printable

# Rows held in Python at a time, of items that are no clean records; about 20 MB.
_ROWS = 10_000
_MEGABYTE = 10**6
# Statements that read staged rows: these rows go past what is in memory, never the other way about.
_AS_WRITTEN = "join_order,build_side_probe_side"


class Staging:
    """Rows put into the staging tables batch by batch.

    They are in order of reading, but for those of records that are not clean, which come later.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, scratch: Path, settings: IngestSettings
    ) -> None:
        """Begin without rows.

        Args:
            connection: with the empty tables of `stage.sql`.
            scratch: an empty folder that this ingest alone uses.
            settings: how much to hold in memory.
        """
        self._connection = connection
        self._settings = settings
        self._sequence = 0
        self._file = ""
        self._rows: dict[str, list[rows.Row]] = {}
        self.to_read_again: set[str] = set()
        """Logs, by name, of which the machine kept some from being read."""
        most = settings.staged_megabytes * _MEGABYTE // 2
        self._decisive = _schema(connection, "stage_media")
        self._series_schema = _schema(connection, "stage_series")
        self._media_schema = _with_seq(_schema(connection, "media"))
        self._media = StagedRows(
            _without(self._media_schema, self._decisive), scratch, "media", most
        )
        self._responses = StagedRows(
            _with_seq(_schema(connection, "responses")), scratch, "responses", most
        )
        self._clean = self._new_batch()

    def stage_log(
        self,
        file: str,
        items: Iterable[LogItem | CleanRecord | CleanRows],
        *,
        is_rest: bool = False,
    ) -> None:
        """Stage every item of the log that the store calls `file`, or of the rest of it."""
        self._flush_clean()
        self._file, count = file, 0
        self._clean = self._new_batch()
        try:
            for item in items:
                count += self._add(item)
        except LogError as error:
            # a log that cannot be read must not stop the others
            self._add(Reject(Origin(file, None), printable(str(error)), ""))
            count += 1
        if count == 0 and not is_rest:
            reason = "log: found no record; expected Media records of a validator"
            self._add(Reject(Origin(file, None), reason, ""))

    @property
    def schemas(self) -> Schemas:
        """The columns of staged challenges and of their answers."""
        return Schemas(self._media_schema, self._responses.schema)

    def flush(self) -> None:
        """Stage what is still held as records."""
        self._flush_clean()
        self._flush_rows()

    def insert_new(self) -> None:
        """Insert the rows of the challenges in `stage_new`, and their answers."""
        self._connection.execute(f"SET disabled_optimizers = '{_AS_WRITTEN}'")
        self._insert("staged_media", self._media, "analytics/ingest/new_media")
        self._insert("staged_responses", self._responses, "analytics/ingest/new_responses")
        self._connection.execute("RESET disabled_optimizers")

    def _insert(self, name: str, staged: StagedRows, statement: str) -> None:
        self._connection.register(name, staged.reader())
        self._connection.execute(statements(statement))
        self._connection.unregister(name)

    def _add(self, item: LogItem | CleanRecord | CleanRows) -> int:
        """Stage an item, or rows of several; returns how many."""
        if isinstance(item, CleanRows):
            self._stage_block(item, self._sequence + 1)
            self._sequence += item.size
            return item.records + len(item.others)
        self._sequence += 1
        if isinstance(item, CleanRecord):
            self._clean.add(item, self._sequence)
            if self._clean.bytes > self._settings.batch_megabytes * _MEGABYTE:
                self._flush_clean()
        else:
            self._add_item(item, self._sequence)
        return 1

    def _add_item(self, item: LogItem, seq: int) -> None:
        if sum(map(len, self._rows.values())) > _ROWS:
            self._flush_rows()
        match item:
            case Logged(challenge=challenge):
                self._hold("media", [rows.media_row(item)], seq)
                self._hold("responses", rows.response_rows(challenge), seq)
                self._hold("rejects", (rows.reject_row(reject) for reject in item.problems), seq)
            case SeriesStep():
                named = ({**row, "file": self._file} for row in rows.logged_series_rows(item))
                self._hold("series", named, seq)
            case Run():
                self._hold("runs", [rows.run_row(item)], seq)
            case Reject():
                self._hold("rejects", [rows.reject_row(item)], seq)
                if item.is_passing:
                    self.to_read_again.add(self._file)

    def _hold(self, name: str, new: Iterable[rows.Row], seq: int) -> None:
        held = self._rows.setdefault(name, [])
        held.extend({**row, "seq": seq} for row in new)

    def _flush_rows(self) -> None:
        held, self._rows = self._rows, {}
        self._stage_challenges(
            rows.table_of_rows(held.pop("media", []), self._media_schema),
            rows.table_of_rows(held.pop("responses", []), self._responses.schema),
        )
        for name, staged in held.items():
            rows.append_rows(self._connection, f"stage_{name}", staged)

    def _flush_clean(self) -> None:
        batch, self._clean = self._clean, self._new_batch()
        if len(batch):
            self._stage_challenges(*batch.tables())

    def _stage_challenges(self, media: pa.Table, responses: pa.Table) -> None:
        decisive = media.select(self._decisive.names)
        rows.append_table(self._connection, "stage_media", decisive)
        if _are_of_runs(media):
            self._stage_series(media, responses)
        self._media.append(media.select(self._media.schema.names))
        self._responses.append(responses)

    def _stage_series(self, media: pa.Table, responses: pa.Table) -> None:
        """Stage what records hold of series, by which other logs of their run are known."""
        series = record_series(media, responses, self._series_schema)
        rows.append_table(self._connection, "stage_series", series)

    def _stage_block(self, block: CleanRows, first: int) -> None:
        """Stage the items of a block, the first as number `first`."""
        self._flush_clean()
        media, responses = replace(block.media, seq=first), replace(block.responses, seq=first)
        table = pa.Table.from_batches(media.batches(), self._media_schema)
        decisive = table.select(self._decisive.names)
        rows.append_table(self._connection, "stage_media", decisive)
        if _are_of_runs(table):
            answers = pa.Table.from_batches(responses.batches(), self._responses.schema)
            self._stage_series(table, answers)
        self._media.append_block(media)
        self._responses.append_block(responses)
        for place, other in block.others:
            self._add_item(other, first + place)

    def _new_batch(self) -> CleanBatch:
        return CleanBatch(self._file, self._media_schema, self._responses.schema)


def _are_of_runs(media: pa.Table) -> bool:
    return bool(media["run_id"].null_count < len(media))


def _schema(connection: duckdb.DuckDBPyConnection, relation: str) -> pa.Schema:
    return connection.table(relation).limit(0).to_arrow_table().schema


def _with_seq(schema: pa.Schema) -> pa.Schema:
    return schema.insert(0, pa.field("seq", pa.int64()))


def _without(schema: pa.Schema, decisive: pa.Schema) -> pa.Schema:
    """The columns that `stage_media` does not hold, and the number that ties both together."""
    return pa.schema(
        [field for field in schema if field.name == "seq" or field.name not in decisive.names]
    )
