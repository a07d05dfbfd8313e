from datetime import datetime
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from analytics.lives.kept_order import kept_order
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.queries.user_sql import query
from analytics.warehouse.connection import reading
from data.errors import QueryError
from data.store import Store


@pytest.fixture(scope="module")
def filled(golden: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The first 40 challenges of e7 with their times, and all of e9 and e5 without."""
    store = Store(tmp_path_factory.mktemp("filled"))
    ingest(store, [golden / "e7" / "wandb"])
    ingest(store, [golden / era / "challenges.jsonl" for era in ("e9", "e5")])
    return store


def chosen(store: Store, selection: ChallengeSelection) -> list[str]:
    with reading(store) as connection:
        return [one.challenge_id for one in stored_challenges(connection, selection)]


def expected(store: Store, condition: str) -> list[str]:
    order = "time IS NULL, file, position"
    sql = f"SELECT challenge_id FROM media WHERE {condition} ORDER BY {order}"  # noqa: S608
    return [row[0] for row in query(store, sql).rows]


@pytest.mark.parametrize(
    ("selection", "condition"),
    [
        (ChallengeSelection(), "true"),
        (ChallengeSelection(eras=("E9",)), "era = 'E9'"),
        (
            ChallengeSelection(eras=("E9", "E4"), levels=(0, 3)),
            "era IN ('E9', 'E4') AND aug_level IN (0, 3)",
        ),
        (ChallengeSelection(since=datetime(2026, 1, 1)), "time IS NOT NULL"),
        (ChallengeSelection(until=datetime(2026, 1, 1)), "false"),
        (
            ChallengeSelection(miner="32"),
            "challenge_id IN (SELECT challenge_id FROM responses WHERE uid = 32)",
        ),
    ],
)
def test_conditions_hold_together(
    filled: Store, selection: ChallengeSelection, condition: str
) -> None:
    assert chosen(filled, selection) == expected(filled, condition)


def test_a_miner_may_be_named_with_its_hotkey(filled: Store) -> None:
    uid, hotkey = query(filled, "SELECT uid, hotkey FROM responses ORDER BY ALL LIMIT 1").rows[0]
    found = chosen(filled, ChallengeSelection(miner=f"{uid}:{hotkey}"))
    of_miner = f"SELECT challenge_id FROM responses WHERE uid = {uid} AND hotkey = '{hotkey}'"  # noqa: S608
    assert found == expected(filled, f"challenge_id IN ({of_miner})")
    assert len(found) > 0


def test_a_sample_is_the_same_by_seed_and_grows(filled: Store) -> None:
    ten = chosen(filled, ChallengeSelection(sample=10, seed=1))
    assert len(ten) == 10
    assert chosen(filled, ChallengeSelection(sample=10, seed=1)) == ten
    assert set(ten) < set(chosen(filled, ChallengeSelection(sample=30, seed=1)))
    assert chosen(filled, ChallengeSelection(sample=10, seed=2)) != ten
    of_e9 = chosen(filled, ChallengeSelection(eras=("E9",), sample=7))
    assert len(of_e9) == 7
    assert set(of_e9) <= set(expected(filled, "era = 'E9'"))


def test_a_limit_takes_the_first_in_order(filled: Store) -> None:
    assert chosen(filled, ChallengeSelection(limit=5)) == expected(filled, "true")[:5]
    assert chosen(filled, ChallengeSelection(limit=0)) == []


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (ChallengeSelection(eras=("E99",)), "found E99; expected one of E4"),
        (ChallengeSelection(miner="x'; DROP TABLE media"), "expected UID or UID:HOTKEY"),
        (ChallengeSelection(ids=("nothing",)), "no such challenge"),
    ],
)
def test_a_condition_that_means_nothing_is_one_line(
    filled: Store, selection: ChallengeSelection, message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        chosen(filled, selection)


@pytest.mark.parametrize(
    "selection",
    [
        ChallengeSelection(),
        ChallengeSelection(limit=7),
        ChallengeSelection(validator="life-2"),
        ChallengeSelection(run="aw9setnr"),
        ChallengeSelection(run="aw9setnr", levels=(1,), limit=3),
        ChallengeSelection(validator="5FvalidatorHotkey", since=datetime(2026, 1, 1)),
        ChallengeSelection(sample=20, limit=9),
    ],
)
def test_a_kept_order_selects_the_same_in_the_same_order(
    filled: Store, selection: ChallengeSelection
) -> None:
    expected = chosen(filled, selection)
    with reading(filled) as connection:
        kept = kept_order(connection)
    with reading(filled) as connection:
        selected = stored_challenges(connection, selection, kept=kept)
    assert [challenge.challenge_id for challenge in selected] == expected
    assert expected


@pytest.mark.parametrize(
    "selection",
    [
        ChallengeSelection(validator="nobody"),
        ChallengeSelection(run="none"),
        ChallengeSelection(validator="life-2", run="aw9setnr"),
    ],
)
def test_a_kept_order_refuses_what_the_store_does_not_hold_alike(
    filled: Store, selection: ChallengeSelection
) -> None:
    with pytest.raises(QueryError) as expected:
        chosen(filled, selection)
    with reading(filled) as connection, pytest.raises(QueryError) as refused:
        stored_challenges(connection, selection, kept=kept_order(connection))
    assert str(refused.value) == str(expected.value)
