"""What records of runs hold of the series of their run's history."""

import pyarrow as pa
import pyarrow.compute as pc

# column of `stage_series` -> of `responses`
_COLUMNS = {"predictions": "prediction", "rewards": "reward", "scores": "score"}


def record_series(media: pa.Table, responses: pa.Table, schema: pa.Schema) -> pa.Table:
    """The rows of `stage_series` that the answers of records of runs give: of a uid the last.

    Args:
        media: records, with `seq` and `run_id`.
        responses: their answers.
        schema: of `stage_series`.
    """
    of_runs = media.filter(pc.is_valid(media["run_id"]))["seq"]
    counted = pc.and_(pc.is_in(responses["seq"], of_runs), pc.invert(responses["asked_again"]))
    answers = responses.filter(counted)
    size = answers.num_rows
    columns = []
    for field in schema:
        name = _COLUMNS.get(field.name, field.name)
        if field.name == "file":
            columns.append(pa.repeat("", size))
        elif field.name == "scores":
            # a history holds none that is no number
            columns.append(pc.if_else(pc.is_nan(answers[name]), None, answers[name]))
        elif field.name == "logged":
            columns.append(pa.repeat(False, size))
        elif name in answers.column_names:
            columns.append(answers[name].cast(field.type))
        else:
            columns.append(pa.nulls(size, field.type))
    return pa.table(columns, schema=schema)
