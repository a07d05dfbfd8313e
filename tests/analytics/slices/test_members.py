"""Slices as integer codes against the same slices as flags."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.analytics.slices.flagged import Flagged, coded, flagged


@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(0, 12))
def test_codes_hold_what_flags_hold_and_keep_it_when_slices_are_chosen(
    seed: int, slices: int, challenges: int
) -> None:
    rng = np.random.default_rng(seed)
    flags = rng.random((slices, challenges)) < rng.random()
    parts = [Flagged("field", str(number), row) for number, row in enumerate(flags)]
    members = coded(parts)
    kept = rng.random(slices) < 0.5
    for found, expected in ((members, flags), (members.only(kept), flags[kept])):
        assert found.count == len(expected)
        assert [one.members.tolist() for one in flagged(found)] == expected.tolist()
        for challenge in range(challenges):
            numbers = found.numbers[found.starts[challenge] : found.starts[challenge + 1]]
            assert numbers.tolist() == np.flatnonzero(expected[:, challenge]).tolist()
    assert [value for _, value in members.only(kept).values] == [
        str(number) for number in np.flatnonzero(kept)
    ]
