"""The hash of a plan, which is in the id of its run: values of runs that people have."""

import hashlib
from pathlib import Path

import pytest

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import stored_challenges
from analytics.warehouse.connection import reading
from data.sources.shards import Shards
from data.store import Store
from replay.plans.digest import plan_sha256
from replay.plans.parts import Parts
from replay.plans.plan import Planned, plan
from replay.settings import ReplaySettings, VariantSettings
from tests.conftest import GOLDEN

# By the code that made one object a challenge (commit 4f0d1d7): era, variants, seed; SHA-256 of the
# plan, that of the `repr` of its objects in order of reading, and the parts of at most 2 MiB.
KNOWN = [
    ("e5", 16, 0, "b16561e4c79bfba5", "9564bd40ccf50305", 43),
    ("e5", 2, 7, "a43a7540f23c410d", "c659c602806624963", 8),
    ("e5", None, 0, "1ed37cf7f1695fdd", "2b8bc05cf16223df", 43),
    ("e7", 16, 0, "327c678e745999f8", "c67eb54d453665ce", 233),
    ("e7", 2, 7, "03c7107f9c067c6e", "edcdb762abef4f6d", 48),
    ("e7", None, 0, "4cf9b5a7dd95ba09", "d54eff2dfb481955", 233),
    ("e9", 16, 0, "8e6fbc1063064d9f", "47c98ae743c11ce5", 34),
    ("e9", 2, 7, "63d88c0774aaa729", "37859ba2ff24de38", 7),
    ("e9", None, 0, "71c04c80cc483c19", "32a873535608f03c", 34),
]


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("known", KNOWN)
def test_a_plan_of_the_golden_logs_is_what_it_was(
    store: Store, known: tuple[str, int | None, int, str, str, int], ordered: bool
) -> None:
    era, count, seed, sha256, objects, part_count = known
    ingest(store, [GOLDEN / era / "challenges.jsonl"])
    with reading(store) as connection:
        challenges = stored_challenges(connection, ordered=ordered)
    sources: Path = GOLDEN / era / "sources"
    planned = plan(challenges, Shards(sources), VariantSettings(count, seed))
    assert plan_sha256(planned).startswith(sha256)
    read: list[Planned] = [item for _, item in planned.in_reading_order()]
    assert hashlib.sha256(repr(read).encode()).hexdigest().startswith(objects)
    assert Parts(planned, ReplaySettings(image_bytes=2**21)).part_count == part_count
