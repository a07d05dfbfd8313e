"""Plans the selected challenges of a store, for the commands."""

from analytics.lives.order_file import order_of
from analytics.queries.challenges import ChallengeSelection, count_without_time, stored_challenges
from analytics.warehouse.connection import reading
from data.sources.shards import Shards, open_shards
from data.store import Store
from data.terminal import note
from replay.plans.plan import Plan, plan
from replay.settings import VariantSettings


def plan_of_store(
    store: Store,
    sources: str | None,
    selection: ChallengeSelection,
    settings: VariantSettings,
    *,
    ordered: bool = True,
) -> tuple[Plan, Shards]:
    """Plan what is selected, from the shards in `sources` or else in the store.

    Args:
        store: with the warehouse.
        sources: a folder of shards, or its URL; the store's own for None.
        selection: which challenges.
        settings: how many images of a level 2 or 3 challenge.
        ordered: in the order of the log, as `stored_challenges` has it; a large store keeps it.

    Raises:
        StoreError: the store holds no warehouse.
        QueryError: a condition of the selection cannot be read, or names what is not there.
        SourceError: the folder `sources` is not there.
        SourceAccessError: its server does not answer, or refuses.
    """
    with reading(store) as connection:
        kept = order_of(store, connection) if ordered or selection.needs_order else None
        challenges = stored_challenges(connection, selection, ordered=ordered, kept=kept)
        if untimed := count_without_time(connection, selection):
            note(f"{untimed} challenges have no time: --since and --until leave them out")
    shards = open_shards(sources or store.sources_place, required=sources is not None)
    return plan(challenges, shards, settings), shards
