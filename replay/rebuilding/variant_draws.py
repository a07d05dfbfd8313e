"""Draws which of a challenge's possible images are built, for many challenges in one call.

The numbers are those of NumPy's `default_rng([seed, id])` with `permuted` and `random`: O'Neill's
seed sequence, PCG64, and masked integers of which too large ones are drawn again. A generator
object for each of a million challenges would take a minute; and they stay what they are should
another NumPy change its streams.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from analytics.numba_loops import compiled

Words = npt.NDArray[np.uint32]
Draws = npt.NDArray[np.int64]

_WORD_BITS = 32
_WORD = 2**_WORD_BITS - 1

_POOL = 4
_INIT_A, _MULT_A = np.uint32(0x43B0D7E5), np.uint32(0x931E8875)
_INIT_B, _MULT_B = np.uint32(0x8B51F9DD), np.uint32(0x58F38DED)
_MIX_LEFT, _MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_HALF = np.uint32(16)

_PCG_HIGH, _PCG_LOW = np.uint64(2549297995355413924), np.uint64(4865540595714422341)
_LOW_WORD = np.uint64(_WORD)
_U1, _U11, _U32, _U58, _U63, _U64 = (np.uint64(n) for n in (1, 11, 32, 58, 63, 64))


def draw_positions(
    challenge_ids: Sequence[str], seed: int, total: int, strata: int, count: int
) -> Draws:
    """For each challenge `count` different positions in 0..total - 1, in order of strata.

    The positions are cut into `strata` equal runs; each run is shuffled, and evenly spaced ones
    are taken of all of them, from a random start on.

    Args:
        challenge_ids: hexadecimal, at most 16 digits each.
        seed: 0 or more.
        total: a multiple of `strata`.
        strata: 1 or more.
        count: 1 to `total`.

    Returns:
        An array (challenges, count).
    """
    ids = np.array([int(challenge_id, 16) for challenge_id in challenge_ids], np.uint64)
    positions = np.empty((len(ids), count), np.int64)
    _fill(ids, _seed_words(seed), total, strata, positions)
    return positions


def _seed_words(seed: int) -> Words:
    """A seed as 32-bit words, the lowest first; one word for 0.

    Raises:
        ValueError: it is negative.
    """
    if seed < 0:
        raise ValueError(f"a seed of 0 or more, not {seed}")
    words = [seed & _WORD]
    while seed := seed >> _WORD_BITS:
        words.append(seed & _WORD)
    return np.array(words, np.uint32)


@compiled
def _fill(
    ids: npt.NDArray[np.uint64], seed: Words, total: int, strata: int, positions: Draws
) -> None:
    count = positions.shape[1]
    width = total // strata
    entropy = np.zeros(len(seed) + 2, np.uint32)
    entropy[: len(seed)] = seed
    order = np.empty(total, np.int64)
    state = np.empty(4, np.uint64)  # high and low of the state, high and low of the increment
    for challenge in range(len(ids)):
        entropy[len(seed)] = np.uint32(ids[challenge] & _LOW_WORD)
        entropy[len(seed) + 1] = np.uint32(ids[challenge] >> _U32)
        words = len(seed) + (2 if ids[challenge] >> _U32 else 1)
        _seed_state(entropy[:words], state)
        for index in range(total):
            order[index] = index
        _shuffle_runs(order, width, state)
        start = float(_next_64(state) >> _U11) * (1.0 / 9007199254740992.0)
        for place in range(count):
            positions[challenge, place] = order[int((start + np.float64(place)) * total / count)]


@compiled
def _shuffle_runs(order: Draws, width: int, state: npt.NDArray[np.uint64]) -> None:
    """Shuffle each run of `width`; of a 64-bit number the high half is kept for the next draw."""
    kept, has_kept = np.uint64(0), False
    for first in range(0, len(order), width):
        for last in range(width - 1, 0, -1):
            mask = np.uint64(1)
            while mask <= last:
                mask <<= _U1
            mask -= _U1
            while True:
                if has_kept:
                    word, has_kept = kept, False
                else:
                    both = _next_64(state)
                    word, kept, has_kept = both & _LOW_WORD, both >> _U32, True
                if word & mask <= last:
                    break
            other = first + int(word & mask)
            order[first + last], order[other] = order[other], order[first + last]


@compiled
def _seed_state(entropy: Words, state: npt.NDArray[np.uint64]) -> None:
    """The state and increment of PCG64 by NumPy's `SeedSequence` of these words."""
    pool = np.zeros(_POOL, np.uint32)
    constant = _INIT_A
    for index in range(_POOL):
        word = entropy[index] if index < len(entropy) else np.uint32(0)
        pool[index], constant = _hashed(word, constant, _MULT_A)
    for source in range(_POOL):
        for target in range(_POOL):
            if source != target:
                word, constant = _hashed(pool[source], constant, _MULT_A)
                pool[target] = _mixed(pool[target], word)
    for source in range(_POOL, len(entropy)):
        for target in range(_POOL):
            word, constant = _hashed(entropy[source], constant, _MULT_A)
            pool[target] = _mixed(pool[target], word)
    made = np.empty(2 * _POOL, np.uint64)
    constant = _INIT_B
    for index in range(2 * _POOL):
        word, constant = _hashed(pool[index % _POOL], constant, _MULT_B)
        made[index] = np.uint64(word)
    halves = np.empty(_POOL, np.uint64)
    for index in range(_POOL):
        halves[index] = made[2 * index] | (made[2 * index + 1] << _U32)
    state[2] = (halves[2] << _U1) | (halves[3] >> _U63)
    state[3] = (halves[3] << _U1) | _U1
    # a step from 0 gives the increment; then the seed is added, and a step taken
    low = state[3] + halves[1]
    state[0] = state[2] + halves[0] + (_U1 if low < halves[1] else np.uint64(0))
    state[1] = low
    _step(state)


@compiled
def _hashed(word: np.uint32, constant: np.uint32, factor: np.uint32) -> tuple[np.uint32, np.uint32]:
    word = np.uint32(word ^ constant)
    constant = np.uint32(constant * factor)
    word = np.uint32(word * constant)
    return np.uint32(word ^ (word >> _HALF)), constant


@compiled
def _mixed(left: np.uint32, right: np.uint32) -> np.uint32:
    result = np.uint32(np.uint32(left * _MIX_LEFT) - np.uint32(right * _MIX_RIGHT))
    return np.uint32(result ^ (result >> _HALF))


@compiled
def _step(state: npt.NDArray[np.uint64]) -> None:
    """The state times the multiplier plus the increment, modulo 2**128."""
    low_low = (state[1] & _LOW_WORD) * (_PCG_LOW & _LOW_WORD)
    low_high = (state[1] & _LOW_WORD) * (_PCG_LOW >> _U32)
    high_low = (state[1] >> _U32) * (_PCG_LOW & _LOW_WORD)
    high_high = (state[1] >> _U32) * (_PCG_LOW >> _U32)
    middle = (low_low >> _U32) + (low_high & _LOW_WORD) + (high_low & _LOW_WORD)
    carried = high_high + (low_high >> _U32) + (high_low >> _U32) + (middle >> _U32)
    high = carried + state[0] * _PCG_LOW + state[1] * _PCG_HIGH
    low = state[1] * _PCG_LOW + state[3]
    state[0] = high + state[2] + (_U1 if low < state[3] else np.uint64(0))
    state[1] = low


@compiled
def _next_64(state: npt.NDArray[np.uint64]) -> np.uint64:
    """Step, then fold both halves and rotate right by the highest six bits (XSL-RR)."""
    _step(state)
    folded = state[0] ^ state[1]
    turn = state[0] >> _U58
    turned: np.uint64 = (folded >> turn) | (folded << ((_U64 - turn) & _U63))
    return turned
