"""Challenges as columns give back the objects that they were made of."""

import pyarrow as pa
import pytest
from hypothesis import given, settings

from data.records.stored_challenge import StoredChallenge
from data.records.stored_challenges import SCHEMA, StoredChallenges
from tests.replay.plans.challenge_sets import challenge_sets


@settings(deadline=None)
@given(challenge_sets)
def test_columns_give_back_what_they_were_made_of(challenges: list[StoredChallenge]) -> None:
    columns = StoredChallenges.of(challenges)
    assert len(columns) == len(challenges)
    assert list(columns) == challenges
    assert list(columns[::-2]) == challenges[::-2]
    if challenges:
        assert columns[-1] == challenges[-1]


@settings(deadline=None)
@given(challenge_sets)
def test_batches_are_put_together_in_order(challenges: list[StoredChallenge]) -> None:
    whole = StoredChallenges.of(challenges).columns
    words = {f.name: f.type for f in SCHEMA if pa.types.is_dictionary(f.type)}
    plain = pa.table(
        [
            c.cast(pa.string()) if n in words else c
            for n, c in zip(SCHEMA.names, whole.columns, strict=True)
        ],
        names=SCHEMA.names,
    )
    ordinals = pa.array(range(len(plain), 0, -1), pa.int64())
    batches = plain.append_column("ordinal", ordinals).to_batches(max_chunksize=3)
    assert list(StoredChallenges.read(batches)) == challenges[::-1]


def test_a_challenge_beyond_the_last_one_is_an_error() -> None:
    with pytest.raises(IndexError):
        StoredChallenges.of([])[0]
