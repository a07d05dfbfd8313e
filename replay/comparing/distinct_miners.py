"""Which miners are distinct: one of each clone group, so that copies of a model rank once."""

from collections.abc import Sequence

import duckdb
import numpy as np
from numpy.typing import NDArray

from analytics.miners.answers import Miner, miner_answers
from analytics.miners.clones import CloneGroup, clone_groups


def distinct_miners(
    connection: duckdb.DuckDBPyConnection, answered: Sequence[int]
) -> NDArray[np.bool_]:
    """(M,), False for a miner that is a clone of one that stands for its group.

    Clone groups are those of all answers of the chosen challenges. The miner that answered most
    stands for its group, never the one that did best: that would select by what is measured.

    Args:
        connection: of a warehouse; `analytics.miners.answers.stage` comes before it.
        answered: (M,), the answers of each miner that are compared, in order of its number.
    """
    answers = miner_answers(connection)
    return _representatives(answers.miners, clone_groups(answers).groups, answered)


def _representatives(
    miners: Sequence[Miner], groups: Sequence[CloneGroup], answered: Sequence[int]
) -> NDArray[np.bool_]:
    numbers = {miner: number for number, miner in enumerate(miners)}
    distinct = np.ones(len(miners), np.bool_)
    for group in groups:
        members = [numbers[miner] for miner in group.miners]
        distinct[members] = False
        distinct[min(members, key=lambda number: (-answered[number], number))] = True
    return distinct
