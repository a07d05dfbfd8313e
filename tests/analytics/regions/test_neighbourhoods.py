import numpy as np

from analytics.regions.neighbourhoods import (
    ALONE,
    NeighbourhoodSettings,
    neighbourhood_names,
    neighbourhoods,
)


def test_positions_within_two_kilometres_chain_and_others_have_none() -> None:
    # 0.01 degrees of latitude are 1.1 km; of longitude at 60 degrees north 0.56 km
    latitudes = np.array([60.0] * 6 + [60.5] * 3 + [60.0])
    longitudes = np.array([10.0 + 0.03 * k for k in range(6)] + [10.0] * 3 + [10.0])
    settings = NeighbourhoodSettings(radius_km=2.0, min_positions=3)
    numbers = neighbourhoods(latitudes, longitudes, settings)
    assert numbers[:6].tolist() == [0] * 6
    # three times the same position is one place
    assert numbers[6:9].tolist() == [ALONE] * 3
    assert numbers[9] == 0
    names = neighbourhood_names(latitudes, longitudes, numbers)
    assert names[0].startswith("around 60.00, 10.")
    assert names[6] == "alone"
    assert neighbourhoods(latitudes[:0], longitudes[:0]).tolist() == []
