import numpy as np

from analytics.regions.gps_clusters import UNCLUSTERED, ClusterSettings, cluster_names, gps_clusters


def test_positions_within_two_kilometres_chain_and_others_have_no_cluster() -> None:
    # 0.01 degrees of latitude are 1.1 km; of longitude at 60 degrees north 0.56 km
    latitudes = np.array([60.0] * 6 + [60.5] * 3 + [60.0])
    longitudes = np.array([10.0 + 0.03 * k for k in range(6)] + [10.0] * 3 + [10.0])
    clusters = gps_clusters(latitudes, longitudes, ClusterSettings(radius_km=2.0, min_positions=3))
    assert clusters[:6].tolist() == [0] * 6
    # three times the same position is one place
    assert clusters[6:9].tolist() == [UNCLUSTERED] * 3
    assert clusters[9] == 0
    names = cluster_names(latitudes, longitudes, clusters)
    assert names[0].startswith("around 60.00, 10.")
    assert names[6] == "alone"
    assert gps_clusters(latitudes[:0], longitudes[:0]).tolist() == []
