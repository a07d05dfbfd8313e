"""The id of a run: a hash of all that determines its answers.

An image that could not be rebuilt determines no answer, so it changes no id.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from replay.candidates.description import CandidateDescription
from replay.plans.digest import plan_sha256
from replay.rebuilding.image_keys import REPLAY_VERSION, packages
from replay.runs.planned_run import PlannedRun

_ID_DIGITS = 12


def run_id(determinants: Mapping[str, Any]) -> str:
    """The id of the run whose answers these determine, see `answer_determinants`."""
    digest = hashlib.sha256(json.dumps(determinants, sort_keys=True).encode()).hexdigest()
    return f"replay-{digest[:_ID_DIGITS]}"


def answer_determinants(candidate: CandidateDescription, planned: PlannedRun) -> dict[str, Any]:
    """All that determines a run's answers: candidate, plan, sources, settings and packages."""
    return {
        "replay_version": REPLAY_VERSION,
        "model": candidate.name,
        "model_fingerprint": candidate.fingerprint,
        "uses_metadata": candidate.wants_metadata,
        "challenges": len(planned.plan),
        "plan_sha256": plan_sha256(planned.plan),
        "sources": planned.shards.fingerprints(planned.plan.sources()),
        "settings": asdict(planned.settings),
        "packages": packages(),
    }
