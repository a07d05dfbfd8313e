"""What a decision to retrain is about: the champion's replay, since when, and how many new rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from data.store import Store
from model.champion.champion import Champion
from model.champion.promotions import read_promotions
from model.retraining.retrain_folder import OUTCOME, retrainings
from model.rows.training_row import TrainingRow
from replay.runs.training_rows import trained_on

_LONG_AGO = "1970-01-01T00:00:00+00:00"


@dataclass(frozen=True)
class Reference:
    """What the evidence is about: the champion's replay, since when, and what else is known.

    `since` parts the earlier challenges from the later ones; `last` is the time of the last
    retraining; `new_rows` are source rows that the champion was not trained on. Times have an
    offset.
    """

    run_id: str
    since: datetime
    last: datetime | None
    new_rows: int


def champion_reference(
    store: Store,
    champion: Champion,
    run_id: str,
    rows: Sequence[TrainingRow],
    since: datetime | None,
) -> Reference:
    """The reference for a champion.

    Args:
        store: of the champion.
        champion: its promotion parts the periods, where nobody says otherwise.
        run_id: its replay.
        rows: the source rows.
        since: parts the periods; None: when the champion was made.
    """
    last = [folder.started for folder in retrainings(store) if OUTCOME in folder.steps]
    return Reference(
        run_id=run_id,
        since=since or _made(store, champion),
        last=max(last, default=None),
        new_rows=_new_rows(store, run_id, rows),
    )


def _made(store: Store, champion: Champion) -> datetime:
    """When the champion became it; long ago if the promotions log was removed."""
    entries = read_promotions(store)
    times = (entry.at for entry in entries if entry.entry == champion.entry)
    return datetime.fromisoformat(next(times, _LONG_AGO))


def _new_rows(store: Store, run_id: str, rows: Sequence[TrainingRow]) -> int:
    trained = trained_on(store, run_id).rows
    if trained is None:
        return len(rows)
    seen = set(trained.select("parquet", "row").iter_rows())
    return sum((row.parquet, row.row) not in seen for row in rows)
