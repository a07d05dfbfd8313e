"""Source rows without images, for tests of what divides them."""

import numpy as np
from hypothesis import strategies as st

from data.records.cities import EARTH_METRES
from model.rows.training_row import TrainingRow


def a_row(
    row: int, label: int = 0, vid: str | None = None, gps: tuple[float, float] | None = None
) -> TrainingRow:
    lat, lon = gps or (None, None)
    return TrainingRow(
        "a.parquet", row, label, (320, 240), {"vid_id": vid, "gps_lat": lat, "gps_lon": lon}
    )


@st.composite
def worlds(draw: st.DrawFn) -> list[TrainingRow]:
    """Rows of a few videos, along a few streets, some without either."""
    count = draw(st.integers(30, 80))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = []
    for row in range(count):
        vid = None if rng.random() < 0.2 else f"v{rng.integers(25)}"
        step = rng.integers(300) * 50 / EARTH_METRES  # 50 m apart along a meridian
        gps = None if rng.random() < 0.3 else (float(np.degrees(0.7 + step)), -70.0)
        rows.append(a_row(row, row % 2, vid, gps))
    return rows


def a_city(count: int, seed: int, roadwork: float = 0.3) -> list[TrainingRow]:
    """Rows of many streets of 1 to 12 frames, most streets with or without roadwork throughout."""
    rng = np.random.default_rng(seed)
    rows: list[TrainingRow] = []
    while len(rows) < count:
        works = roadwork + (0.6 if rng.random() < roadwork else -0.25)
        vid = f"v{len(rows)}"
        for _ in range(min(int(rng.integers(1, 13)), count - len(rows))):
            rows.append(a_row(len(rows), int(rng.random() < works), vid))
    return rows
