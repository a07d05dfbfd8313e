"""Draws of possible images against NumPy's own generator, whose numbers they are."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from replay.rebuilding.variant_draws import draw_positions

IDS = st.lists(st.integers(0, 2**64 - 1).map("{:x}".format), min_size=1, max_size=5)
SEEDS = st.sampled_from([0, 1, 2**32 - 1, 2**32, 2**64, 2**96 + 5]) | st.integers(0, 2**128)


@settings(deadline=None, max_examples=300)
@given(IDS, SEEDS, st.sampled_from([(243, 3), (8, 1), (12, 4), (1, 1)]), st.data())
def test_draws_are_those_of_numpy(
    ids: list[str], seed: int, form: tuple[int, int], data: st.DataObject
) -> None:
    total, strata = form
    count = data.draw(st.integers(1, total))
    drawn = draw_positions(ids, seed, total, strata, count)
    for challenge_id, positions in zip(ids, drawn, strict=True):
        rng = np.random.default_rng([seed, int(challenge_id, 16)])
        order = rng.permuted(np.arange(total).reshape(strata, -1), axis=1).ravel()
        places = ((rng.random() + np.arange(count)) * total / count).astype(int)
        assert positions.tolist() == order[places].tolist()
