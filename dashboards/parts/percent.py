"""Shares as percent in a shown table."""

from collections.abc import Sequence

import pandas as pd


def in_percent(frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """The frame with these shares, 0..1 or missing, as percent; a download has them as they are."""
    return frame.assign(**{name: 100 * frame[name].astype(float) for name in columns})
