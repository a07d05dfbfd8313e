"""The id of a run: a hash of all that determines its answers.

An image that could not be rebuilt determines no answer, so it changes no id.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from data.sources.shards import Shards
from replay.candidates.description import CandidateDescription
from replay.plans.digest import plan_sha256
from replay.plans.plan import Plan
from replay.rebuilding.image_keys import REPLAY_VERSION, packages
from replay.settings import ReplaySettings

_ID_DIGITS = 12


def run_id(determinants: Mapping[str, Any]) -> str:
    """The id of the run whose answers these determine, see `answer_determinants`."""
    digest = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()
    return f"replay-{digest[:_ID_DIGITS]}"


def answer_determinants(
    candidate: CandidateDescription, plan: Plan, shards: Shards, settings: ReplaySettings
) -> dict[str, Any]:
    """All that determines a run's answers: candidate, plan, sources, settings and packages."""
    return {
        "replay_version": REPLAY_VERSION,
        "model": candidate.name,
        "model_fingerprint": candidate.fingerprint,
        "uses_metadata": candidate.wants_metadata,
        "challenges": len(plan),
        "plan_sha256": plan_sha256(plan),
        "sources": shards.fingerprints(plan.sources()),
        "settings": asdict(settings),
        "packages": packages(),
    }
