"""Two validators' logs in one store: each life gives what it gives alone."""

import csv
import io
import json

import pytest

from analytics.ingest.ingest import ingest
from analytics.lives.kept_order import kept_order, restore_order
from analytics.standings.history import HistoryPoint, history
from analytics.standings.leaderboard import Standing, leaderboard
from analytics.standings.lost_challenges import (
    LossFilter,
    losses_by_slice,
    lost_as_csv,
    lost_challenges,
)
from analytics.standings.mcc_intervals import mcc_intervals
from analytics.warehouse.connection import reading
from data.store import Store
from tests.analytics.standings.ordered import ordered
from tests.worlds.simulated_logs import simulated_log

_EVERY = (10_000, 0)


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Store]:
    """The first validator's log, the second's, and both, their lines in turns."""
    folder = tmp_path_factory.mktemp("lives")
    logs = [
        simulated_log(seed, "E7", count, uids=30, validators=4)
        for seed, count in ((1, 130), (2, 90))
    ]
    for record in (record for log in logs for record in log):
        # the same miners for both
        record["miner_hotkeys"] = [f"5Miner{uid}" for uid in record["miner_uids"]]
    both = []
    for number, log in enumerate(logs):
        parts = [folder / f"log{number}.part{k}.jsonl" for k in range(2)]
        half = len(log) // 2
        for part, records in zip(parts, (log[:half], log[half:]), strict=True):
            part.write_text("".join(f"{json.dumps(record)}\n" for record in records))
        both.append(parts)
    stores = []
    for name, paths in (("first", both[0]), ("second", both[1]), ("both", [*both[1], *both[0]])):
        store = Store(folder / name)
        ingest(store, paths)
        stores.append(store)
    return stores


def by_size(store: Store) -> list[int]:
    """The numbers of the lives, the longer one first."""
    with reading(store) as connection:
        lives = kept_order(connection).lives
    return [life.number for life in sorted(lives, key=lambda life: -life.challenges)]


def in_life(points: list[HistoryPoint], life: int) -> list[tuple[object, ...]]:
    """What of a history is not the number of its life, or the place among all challenges."""
    return [
        (one.spell, one.answer_number, one.challenge_id, one.mean_reward, one.ema, one.rank)
        for one in points
        if one.life == life
    ]


def test_each_life_alone(stores: list[Store]) -> None:
    *alone, both = stores
    numbers = by_size(both)
    assert len(numbers) == 2
    with ordered(both) as together:
        for store, number in zip(alone, numbers, strict=True):
            with ordered(store) as connection:
                board = leaderboard(connection)
                assert leaderboard(together, number) == board
                assert mcc_intervals(together, life=number) == mcc_intervals(connection)
                for one in board[:5]:
                    uid = one.miner.uid
                    expected = in_life(history(connection, uid), 0)
                    assert in_life(history(together, uid), number) == expected
                    assert losses_by_slice(together, one.miner, number) == losses_by_slice(
                        connection, one.miner
                    )
                    found = lost_challenges(
                        together, one.miner, None, LossFilter(life=number), _EVERY
                    )
                    own = lost_challenges(connection, one.miner, None, LossFilter(), _EVERY)
                    assert [lost.challenge_id for lost in found.challenges] == [
                        lost.challenge_id for lost in own.challenges
                    ]


def test_of_both_answers_count_together_and_scores_are_weighted(stores: list[Store]) -> None:
    boards: list[dict[int, Standing]] = []
    for store in stores:
        with ordered(store) as connection:
            boards.append({one.miner.uid: one for one in leaderboard(connection)})
    first, second, both = boards
    shared = set(first) & set(second)
    assert len(shared) > 10
    for uid in shared:
        one, other, found = first[uid], second[uid], both[uid]
        assert found.asked == one.asked + other.asked
        assert found.n == one.n + other.n
        assert one.ema is not None
        assert other.ema is not None
        mean = (one.ema * one.asked + other.ema * other.asked) / found.asked
        assert found.ema == pytest.approx(mean)


def test_a_file_of_losses_names_the_validators(stores: list[Store]) -> None:
    both = stores[-1]
    with reading(both) as connection:
        lives = kept_order(connection).lives
    with ordered(both) as connection:
        miner = leaderboard(connection)[0].miner
        found = lost_challenges(connection, miner, None, page=_EVERY).challenges
        file = lost_as_csv(connection, miner, None, LossFilter(), lives).decode()
    rows = list(csv.DictReader(io.StringIO(file)))
    names = {life.number: life.name for life in lives}
    assert {row["validator"] for row in rows} == {"life-1", "life-2"}
    assert [(row["challenge_id"], row["validator"], row["challenge_number"]) for row in rows] == [
        (one.challenge_id, names[one.life], str(one.ordinal + 1)) for one in found
    ]
    assert "lost" not in rows[0]
    assert [row["others"] for row in rows] == [str(one.others) for one in found]


def test_the_challenges_of_one_uid_are_enough_for_what_is_of_it(stores: list[Store]) -> None:
    both = stores[-1]
    with reading(both) as connection:
        kept = kept_order(connection)
    with ordered(both) as whole:
        for miner in [one.miner for one in leaderboard(whole)][:4]:
            with reading(both) as connection:
                restore_order(connection, kept, miner.uid)
                assert history(connection, miner.uid) == history(whole, miner.uid)
                assert losses_by_slice(connection, miner) == losses_by_slice(whole, miner)
                assert mcc_intervals(connection, miner) == mcc_intervals(whole, miner)
                assert lost_challenges(connection, miner, None) == lost_challenges(
                    whole, miner, None
                )
