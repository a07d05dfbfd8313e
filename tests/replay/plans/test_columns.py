"""Plans as columns are those that were made object by object."""

import pickle
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.records.stored_challenge import StoredChallenge
from data.records.stored_challenges import StoredChallenges
from data.sources.shards import Shards
from replay.plans.digest import plan_sha256
from replay.plans.parts import Parts
from replay.plans.plan import plan
from replay.settings import ReplaySettings, VariantSettings
from tests.replay.plans.challenge_sets import challenge_sets
from tests.replay.plans.listed_plan import (
    in_reading_order,
    listed_parts,
    listed_plan,
    listed_sha256,
)
from tests.worlds.stores import encoded, picture, write_shard

VARIANTS = st.builds(VariantSettings, st.none() | st.integers(1, 243), st.integers(0, 2**70))
PARTS = st.builds(
    ReplaySettings, st.integers(1, 9), st.sampled_from([1, 10**6, 2**22, 2**26, 2**40])
)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder: Path = tmp_path_factory.mktemp("sources")
    write_shard(folder, [encoded(picture((16, 12), seed=k)) for k in range(3)])
    return Shards(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(challenge_sets, VARIANTS)
def test_a_plan_is_that_of_each_challenge(
    shards: Shards, challenges: list[StoredChallenge], variants: VariantSettings
) -> None:
    expected = listed_plan(challenges, shards, variants)
    planned = plan(StoredChallenges.of(challenges), shards, variants)
    assert list(planned) == expected
    assert [planned[place] for place in range(len(planned))] == expected
    assert list(planned[1::2]) == expected[1::2]
    assert [item for _, item in planned.in_reading_order()] == in_reading_order(expected)
    assert planned.image_counts.tolist() == [len(item.variants) for item in expected]
    assert planned.counts() == Counter(str(item.reason or item.fidelity) for item in expected)
    assert planned.sources() == {
        (item.challenge.parquet, item.challenge.row) for item in expected if item.variants
    }
    assert list(pickle.loads(pickle.dumps(planned))) == expected  # noqa: S301


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(challenge_sets, VARIANTS, PARTS)
def test_parts_and_hash_are_those_of_a_list(
    shards: Shards,
    challenges: list[StoredChallenge],
    variants: VariantSettings,
    settings: ReplaySettings,
) -> None:
    listed = in_reading_order(listed_plan(challenges, shards, variants))
    planned = plan(StoredChallenges.of(challenges), shards, variants)
    parts = Parts(planned, settings)
    assert [parts.part(index) for index in range(parts.part_count)] == listed_parts(
        listed, settings
    )
    assert plan_sha256(planned) == listed_sha256(listed)
