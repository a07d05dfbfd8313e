"""What a run is to do, apart from what answers: a plan, its sources, and how images are built."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from data.sources.shards import Shards
from replay.plans.plan import Plan
from replay.settings import ReplaySettings


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """What to replay, and how.

    Attributes:
        plan: what to replay; parts are fixed by it, so that a resumed run is the same run.
        shards: the source images.
        settings: the size of parts, and how images are built.
        asked: how the run was asked for (selection, variants), for `run.json`.
        fresh: start over, whatever an earlier run of the same has answered.
    """

    plan: Plan
    shards: Shards
    settings: ReplaySettings = field(default_factory=ReplaySettings)
    asked: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
