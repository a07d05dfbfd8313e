"""From the images of a replay's parts to the rows of the warehouse's relations."""

import duckdb
import pyarrow as pa

from analytics.warehouse.statements import statements

_RELATIONS = {
    "replay_variants": "replay/runs/variants",
    "replay_gates": "replay/runs/gates",
    "replay_predictions": "replay/runs/predictions",
}


def relation_rows(parts: pa.Table, run_id: str) -> dict[str, pa.Table]:
    """The rows of each relation that parts of a run give.

    Beside the warehouse, whose transaction would hold `parts` in memory to its end; by one thread,
    so that sums do not hang on how many there are.

    Args:
        parts: whole parts, of `part_file.PART_SCHEMA`.
        run_id: of the run.
    """
    named = {"run_id": run_id}
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("parts", parts)
        return {
            relation: connection.sql(statements(name), params=named).to_arrow_table()
            for relation, name in _RELATIONS.items()
        }
