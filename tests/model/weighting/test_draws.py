"""Shares of draws near targets, as training draws."""

import numpy as np
import polars as pl
import pytest

from model.weighting.draws import draw_shares


def test_shares_are_those_of_the_weights() -> None:
    """Pairs of rows; a quarter of them near, with five times the weight."""
    near = np.arange(2000) < 500
    weights = np.where(near, 5.0, 1.0)
    distance = np.where(near, 80.0, 1000.0)
    distance[-1] = np.nan
    scenes = pl.Series([f"v{row // 2}" for row in range(2000)])
    found = draw_shares(scenes, weights, distance, km=100.0, aim=0.7)
    assert found.before == 0.25
    # scenes of two rows, 100,000 draws: half a percent is three standard errors
    assert found.after == pytest.approx(5 * 500 / (5 * 500 + 1500), abs=0.007)
    assert found.draws == 100_000
    assert (found.epochs, found.rows, found.near_rows) == (50, 2000, 500)
    assert not found.reaches_aim
    assert draw_shares(scenes, weights, distance, km=100.0, aim=0.6).reaches_aim
