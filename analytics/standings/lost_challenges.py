"""The challenges that one miner lost: wrong or without an answer, and how others did there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import duckdb

from analytics.comparison.intervals import Interval, wilson_interval
from analytics.lives.order import Life
from analytics.miners.answers import Miner
from analytics.warehouse.statements import each_row, named_rows, statements
from data.csv_bytes import csv_bytes

_QUERY = "analytics/standings/lost_challenges"
_TOTAL = "lost"
_CSV_COLUMNS = {"life": "validator", "ordinal": "challenge_number"}


class Kind(StrEnum):
    """Which lost challenges."""

    BOTH = "both"
    WRONG = "wrong"
    SILENT = "silent"


class Order(StrEnum):
    """Which come first: the newest, or those where fewest other miners were wrong."""

    NEWEST = "newest"
    ALONE = "alone"


@dataclass(frozen=True)
class LossFilter:
    """Which losses of a miner, in which order, and whose: `life` None is all validators'."""

    kind: Kind = Kind.BOTH
    order: Order = Order.NEWEST
    life: int | None = None


@dataclass(frozen=True)
class LostChallenge:
    """A challenge that a miner lost, the `ordinal`th of all from 0 on, in one validator's `life`.

    `prediction` is as logged; where `is_silent`, it is -1 or not finite (None). Of `others`, the
    finite answers of other miners, `others_wrong` were wrong. `candidate` is a replay's probability
    and `candidate_right` whether it is right, None without one, for the reason `no_candidate`. Text
    of a log is cut after 100 characters.
    """

    challenge_id: str
    life: int
    ordinal: int
    time: datetime | None
    era: str
    label: int
    level: int | None
    source: str | None
    city: str | None
    prediction: float | None
    is_silent: bool
    reward: float | None
    others: int
    others_wrong: int
    candidate: float | None
    candidate_right: bool | None
    no_candidate: str | None


@dataclass(frozen=True)
class LossPage:
    """Lost challenges of one page, of `lost` in all that match."""

    challenges: list[LostChallenge]
    lost: int


@dataclass(frozen=True)
class SliceLosses:
    """How often a miner lost in a slice: `wrong` and `silent` (not finite ones too) of `asked`.

    `others_wrong` is the share of other miners' answers to the challenges that it answered that are
    wrong, 0..1, each challenge counted alike; None where no other answered.
    """

    field: str
    value: str
    asked: int
    silent: int
    wrong: int
    others_wrong: float | None

    @property
    def answered(self) -> int:
        """Answers that are right or wrong."""
        return self.asked - self.silent

    @property
    def wrong_share(self) -> float | None:
        """The share of its answers that are wrong, 0..1; None without one."""
        return self.wrong / self.answered if self.answered else None

    @property
    def interval(self) -> Interval:
        """Wilson's 95% interval of `wrong_share`; repeats of an image count each."""
        return wilson_interval(self.wrong, self.answered)


def lost_challenges(
    connection: duckdb.DuckDBPyConnection,
    miner: Miner,
    run_id: str | None,
    chosen: LossFilter = LossFilter(),
    page: tuple[int, int] = (50, 0),
) -> LossPage:
    """A page of a miner's lost challenges.

    Args:
        connection: for which `lives.kept_order.restore_order` was called, at least of this uid.
        miner: whose.
        run_id: the replay whose candidate's answers are set beside them; None for none.
        chosen: which of them, and their order.
        page: how many, after how many.
    """
    limit, offset = page
    parameters = _parameters(miner, run_id, chosen) | {"limit": limit, "offset": offset}
    rows = named_rows(connection.execute(statements(_QUERY), parameters))
    lost = rows[0][_TOTAL] if rows else 0
    for row in rows:
        del row[_TOTAL]
    return LossPage([LostChallenge(**row) for row in rows], lost)


def lost_as_csv(
    connection: duckdb.DuckDBPyConnection,
    miner: Miner,
    run_id: str | None,
    chosen: LossFilter,
    lives: Sequence[Life],
) -> bytes:
    """All of a miner's lost challenges as CSV, in UTF-8.

    Columns are the fields of `LostChallenge`, but for the life, which is `validator`, its name, and
    the ordinal, which is `challenge_number`, from 1 on. Invisible characters in text of logs are
    escaped.

    Args:
        connection: for which `lives.kept_order.restore_order` was called, at least of this uid.
        miner: whose.
        run_id: the replay whose candidate's answers are set beside them; None for none.
        chosen: which of them, and their order.
        lives: all of the store, for their names.
    """
    parameters = _parameters(miner, run_id, chosen) | {"limit": None, "offset": 0}
    result = connection.execute(statements(_QUERY), parameters)
    columns = [column[0] for column in result.description or ()]
    columns.remove(_TOTAL)
    names = {life.number: life.name for life in lives}
    rows = (_csv_row(row, names) for row in each_row(result))
    return csv_bytes([_CSV_COLUMNS.get(name, name) for name in columns], rows)


def _csv_row(values: Sequence[Any], names: Mapping[int, str]) -> list[object]:
    challenge_id, life, ordinal, *rest, _ = values  # the last one is the total
    return [challenge_id, names[life], ordinal + 1, *rest]


def _parameters(miner: Miner, run_id: str | None, chosen: LossFilter) -> dict[str, Any]:
    return {
        "uid": miner.uid,
        "hotkey": miner.hotkey,
        "run_id": run_id,
        "kind": chosen.kind.value,
        "order": chosen.order.value,
        "life": chosen.life,
    }


def losses_by_slice(
    connection: duckdb.DuckDBPyConnection, miner: Miner, life: int | None = None
) -> list[SliceLosses]:
    """Where a miner lost, by level, source, label and era.

    Args:
        connection: for which `lives.kept_order.restore_order` was called, at least of this uid.
        miner: whose.
        life: the number of one validator's life; None: all.
    """
    query = statements("analytics/standings/losses_by_slice")
    parameters = {"uid": miner.uid, "hotkey": miner.hotkey, "life": life}
    return [SliceLosses(**row) for row in named_rows(connection.execute(query, parameters))]
