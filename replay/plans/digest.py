"""A hash of a plan: which challenges, which images of each, and why there are none."""

import hashlib

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from replay.plans.plan import Plan
from replay.rebuilding.variants import distortion_combinations, sampled_indices

_ROWS = 65_536


def plan_sha256(plan: Plan) -> str:
    """SHA-256, in hexadecimal, of a line a challenge in order of reading: id, variants, reason.

    A variant is its index and its weight.
    """
    digest = hashlib.sha256()
    for first in range(0, len(plan), _ROWS):
        digest.update(_lines(plan, plan.reading_order[first : first + _ROWS]))
    return digest.hexdigest()


def _lines(plan: Plan, positions: npt.NDArray[np.int64]) -> memoryview:
    ids = plan.challenges.columns["challenge_id"].take(pa.array(positions)).combine_chunks()
    words = pa.array([*(str(o.reason) for o in plan.obstacles.distinct), "None"])
    reasons = words.take(pa.array(plan.obstacles.indices[positions] % len(words)))
    variants = _variants(plan, positions, ids)
    lines = pc.binary_join_element_wise(ids, " ", variants, " ", reasons, "\n", "")
    _, ends, text = lines.buffers()
    end = np.frombuffer(ends, np.int32)[len(lines)]
    return memoryview(text)[:end]


def _variants(plan: Plan, positions: npt.NDArray[np.int64], ids: pa.Array) -> pa.Array:
    """The variants of each challenge as text."""
    text = pa.array([""]).take(pa.array(np.zeros(len(positions), np.int8)))
    levels = plan.challenges.columns["aug_level"].take(pa.array(positions)).combine_chunks()
    possible = plan.image_counts[positions] > 0
    for level in levels.unique().to_pylist():
        is_level = (
            pc.is_null(levels) if level is None else pc.fill_null(pc.equal(levels, level), False)
        )
        where = is_level.to_numpy(zero_copy_only=False) & possible
        some = pc.filter(ids, pa.array(where))
        text = pc.replace_with_mask(text, pa.array(where), _of_level(plan, level, some))
    return text


def _of_level(plan: Plan, level: int | None, ids: pa.Array) -> pa.Array:
    total = len(distortion_combinations(level))
    indices = sampled_indices(level, ids.to_pylist(), plan.settings)
    if indices is None:
        indices = np.broadcast_to(np.arange(total), (len(ids), total))
    weight = 1 / indices.shape[1]
    words = pa.array([f"{index}:{weight!r}" for index in range(total)])
    ends = np.arange(len(ids) + 1, dtype=np.int32) * np.int32(indices.shape[1])
    each = pa.ListArray.from_arrays(pa.array(ends), words.take(pa.array(indices.ravel())))
    return pc.binary_join(each, " ")
