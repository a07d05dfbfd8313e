"""Which stream goes on where another one ends: against all pairs, and for thousands of streams."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.lives.chains import lives_of
from analytics.lives.score_links import LONGEST_GAP, links
from analytics.lives.streams import Stream
from analytics.scoring.ema_rule import EmaRule, Float32s
from analytics.scoring.tracker import EmaScores

RULE = EmaRule(np.float32(0.05), np.float32(0.95), from_start=False)


def walk(rng: np.random.Generator, records: int, uids: int) -> tuple[Float32s, Float32s]:
    """Scores of a life after each record, and before it less those of the uids that it asks."""
    scores = EmaScores(rng.random(uids))
    after, unasked = np.empty((2, records, uids), np.float32)
    for record in range(records):
        asked = rng.permutation(uids)[: uids // 6].tolist()
        scores.update(asked, rng.random(len(asked)).tolist(), validators={0, 1})
        after[record] = unasked[record] = scores.values
        unasked[record, asked] = np.nan
    return after, unasked


def every_share(ends: Float32s, starts: Float32s) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of all pairs, by the EMA rule in float32, over up to `LONGEST_GAP` records."""
    rest, weight = np.float32(0.95), np.float32(0.05)
    shares = np.zeros((len(ends), len(starts)))
    for end, old in enumerate(ends):
        kept, decayed = old.copy(), old.copy()
        found = np.zeros(starts.shape, bool)
        for _ in range(LONGEST_GAP):
            kept = weight * kept + rest * kept
            decayed = rest * decayed
            found |= (starts == kept) | (starts == decayed)
        known = (old > 0) & ~np.isnan(starts)
        shares[end] = (found & known).sum(axis=1) / np.maximum(1, known.sum(axis=1))
        shares[end, known.sum(axis=1) < 3] = 0
    np.fill_diagonal(shares, 0)
    return shares


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_links_are_those_of_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(int(rng.integers(1, 4))):
        after, unasked = walk(rng, 60, 48)
        cuts = np.unique(rng.integers(1, 60, int(rng.integers(1, 7))))
        bounds = [0, *cuts.tolist(), 60]
        gaps = rng.integers(0, 4, len(bounds))
        for first, last, gap in zip(bounds[:-1], bounds[1:], gaps, strict=False):
            if first + gap < last:
                parts.append((after[last - 1], unasked[first + gap]))
    ends, starts = (np.stack(side) for side in zip(*parts, strict=True))
    found = links(RULE, ends, starts)
    shares = every_share(ends, starts)
    expected = {(e, s) for e, s in np.argwhere(shares >= 0.25).tolist()}
    best = {(e, s) for e, s in expected if shares[e, s] == shares[e].max()}
    pairs = list(zip(found.ends.tolist(), found.starts.tolist(), strict=True))
    assert best <= set(pairs) <= expected
    ordered = [shares[pair] for pair in pairs]
    assert ordered == sorted(ordered, reverse=True)


@pytest.mark.parametrize("alike", [False, True])
def test_thousands_of_streams_are_put_in_order_in_seconds(alike: bool) -> None:
    """All pairs of 6,000 took 36 million comparisons of 64 scores; streams may be all alike."""
    rng = np.random.default_rng(0)
    count = 6000
    after, unasked = walk(rng, 1 if alike else count, 64)
    if alike:
        after, unasked = (np.repeat(side, count, axis=0) for side in (after, unasked))
    places = np.arange(count) if alike else rng.permutation(count)
    streams = [
        Stream(
            number=number,
            pieces=(0,),
            time=None,
            file=f"{number}",
            era="E7",
            run=None,
            hotkey=None,
            uid=None,
            first=unasked[place],
            last=after[place],
        )
        for number, place in enumerate(places.tolist())
    ]
    lives = lives_of(RULE, streams)
    if alike:
        assert sum(len(chain) for life in lives for chain in life) == count
        return
    ((chain,),) = lives
    assert [int(places[stream.number]) for stream in chain] == list(range(count))
