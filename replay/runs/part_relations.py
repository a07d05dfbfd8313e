"""From the images of a replay's parts to the rows of the warehouse's relations."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from analytics.warehouse.statements import statements

_RELATIONS = {
    "replay_variants": "replay/runs/variants",
    "replay_gates": "replay/runs/gates",
    "replay_predictions": "replay/runs/predictions",
}


class PartRelations:
    """Computes rows of relations beside the warehouse, as a transaction there frees no memory."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def rows(self, parts: pa.Table, run_id: str) -> dict[str, pa.Table]:
        """The rows of each relation.

        Args:
            parts: whole parts of a run, of `run_folder.PART_SCHEMA`.
            run_id: of the run.
        """
        self._connection.register("parts", parts)
        named = {"run_id": run_id}
        rows = {
            relation: self._connection.sql(statements(name), params=named).to_arrow_table()
            for relation, name in _RELATIONS.items()
        }
        self._connection.unregister("parts")
        return rows


@contextmanager
def part_relations() -> Iterator[PartRelations]:
    """What computes rows; one thread, so that sums do not hang on how many there are."""
    with duckdb.connect(config={"threads": 1}) as connection:
        yield PartRelations(connection)
