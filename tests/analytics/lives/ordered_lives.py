"""The challenges of a store in order of validators' lives, told apart by their logged scores."""

from typing import Any

import numpy as np

from analytics.lives.order import Choice, Life, put_in_order
from analytics.warehouse.connection import reading
from data.store import Store

Json = dict[str, Any]


def ordered(store: Store, choice: Choice = Choice()) -> tuple[list[Life], list[list[float]]]:
    """The lives, and the scores of each challenge in order."""
    with reading(store) as connection:
        lives = put_in_order(connection, choice)
        rows = connection.execute(
            "SELECT media.scores FROM life_order AS placed "
            "INNER JOIN media ON media.rowid = placed.media_row ORDER BY placed.ordinal"
        ).fetchall()
    return lives, [scores for (scores,) in rows]


def scores_of(records: list[Json]) -> list[list[float]]:
    """The scores of each record as the warehouse holds them, float32."""
    return [np.array(record["scores"], np.float32).tolist() for record in records]
