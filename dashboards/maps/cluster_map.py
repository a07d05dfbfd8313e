"""The map of GPS clusters: states' outlines, a circle a cluster, sized by n and coloured."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from analytics.regions.gps_clusters import GpsCluster
from dashboards.maps.measures import Measure, place_name
from dashboards.maps.outlines import Box, state_outlines

_MARGIN = 0.2  # of the extent of what is shown, on every side
_LEAST_SIDE = 3.0  # degrees, some 300 km: at least a state's outline is in sight
_HEIGHT = 380
# Of the map's width and height: labels nearer than both to a larger cluster's are left out.
_LABEL_WIDTH, _LABEL_HEIGHT = 0.3, 0.06
_LINE, _UNKNOWN, _DARK, _HALO = "#8a8a8a", "#b0b0b0", "#1b1f24", "white"


def extent(clusters: Sequence[GpsCluster]) -> Box:
    """The part of the map that holds clusters with all within their radius, and a margin."""
    # 1 degree of latitude is 111 km
    reach = [max(cluster.radius_km, 0.0) / 111.0 for cluster in clusters]
    pairs = list(zip(clusters, reach, strict=True))
    south = min(cluster.latitude - around for cluster, around in pairs)
    north = max(cluster.latitude + around for cluster, around in pairs)
    west = min(cluster.longitude - around for cluster, around in pairs)
    east = max(cluster.longitude + around for cluster, around in pairs)
    high, wide = (
        max(_LEAST_SIDE, (1 + 2 * _MARGIN) * side) / 2 for side in (north - south, east - west)
    )
    middle, across = (south + north) / 2, (west + east) / 2
    return Box(middle - high, across - wide, middle + high, across + wide)


def cluster_map(
    clusters: Sequence[GpsCluster], measure: Measure, box: Box | None = None
) -> alt.LayerChart | alt.FacetChart:
    """The map.

    Args:
        clusters: those with most challenges first.
        measure: of the colours.
        box: the part of the map that is shown; None: the whole country, with Alaska and Hawaii
            moved below it.
    """
    shown = [one for one in clusters if box is None or box.holds(one.latitude, one.longitude)]
    frame = pd.DataFrame([_row(cluster, measure) for cluster in shown])
    labels = frame[_has_room(shown, box or extent(clusters))]
    states = alt.InlineData(values=state_outlines(box))
    outlines = alt.Chart(states).mark_geoshape(
        fill=_LINE, fillOpacity=0.12, stroke=_LINE, strokeWidth=0.7, clip=True
    )
    place = {"longitude": "longitude:Q", "latitude": "latitude:Q"}
    circles = (
        alt.Chart(frame)
        .mark_circle(opacity=0.9, stroke=_LINE, strokeWidth=1, clip=True)
        .encode(
            **place,
            size=alt.Size("n:Q", scale=alt.Scale(domainMin=0, range=[30, 900]), legend=None),
            color=_colour([measure.value(cluster) for cluster in clusters], measure),
            tooltip=_tooltip(measure),
        )
    )
    # dark on a light halo is legible on circles, and in a dark theme
    halo, names = (
        alt.Chart(labels)
        .mark_text(dy=-19, fontSize=12, fontWeight=600, clip=True, **style)
        .encode(**place, text="label:N")
        for style in (
            {"color": _HALO, "stroke": _HALO, "strokeWidth": 4, "opacity": 0.85},
            {"color": _DARK},
        )
    )
    layered: alt.LayerChart | alt.FacetChart = alt.layer(outlines, circles, halo, names)
    return layered.project(**_projection(box)).properties(height=_HEIGHT)


def _row(cluster: GpsCluster, measure: Measure) -> dict[str, Any]:
    low, high = measure.interval(cluster) or (None, None)
    return {
        "place": place_name(cluster.name),
        "label": f"{place_name(cluster.name)} {cluster.n:,}",
        "latitude": cluster.latitude,
        "longitude": cluster.longitude,
        "n": cluster.n,
        "value": measure.value(cluster),
        "low": low,
        "high": high,
        "count": measure.count(cluster),
    }


def _has_room(clusters: Sequence[GpsCluster], box: Box) -> list[bool]:
    """Whether a cluster's label is far enough from those of larger clusters."""
    wide, high = box.east - box.west, box.north - box.south
    kept: list[GpsCluster] = []
    flags = []
    for cluster in clusters:
        is_free = not any(
            abs(cluster.longitude - other.longitude) < _LABEL_WIDTH * wide
            and abs(cluster.latitude - other.latitude) < _LABEL_HEIGHT * high
            for other in kept
        )
        flags.append(is_free)
        if is_free:
            kept.append(cluster)
    return flags


def _colour(of_clusters: Sequence[float | None], measure: Measure) -> Any:
    """By all clusters, so that a colour means the same in every part of the map."""
    legend = alt.Legend(title=measure.name, orient="bottom", format=measure.form, titleLimit=340)
    values = [value for value in of_clusters if value is not None]
    if measure.is_signed:
        far = max((abs(value - measure.centre) for value in values), default=0.0) or 0.1
        scale = alt.Scale(
            domain=[measure.centre - far, measure.centre + far],
            scheme="redblue",
            reverse=measure.reversed_colours,
        )
    else:
        scale = alt.Scale(domain=[0, max(values, default=1.0) or 1.0], scheme="viridis")
    known = alt.Color("value:Q", scale=scale, legend=legend)
    return alt.condition("isValid(datum.value)", known, alt.value(_UNKNOWN))


def _tooltip(measure: Measure) -> list[alt.Tooltip]:
    form = measure.form
    return [
        alt.Tooltip("place:N"),
        alt.Tooltip("n:Q", title="challenges", format=","),
        alt.Tooltip("value:Q", title=measure.name, format=form),
        alt.Tooltip("low:Q", title="95% from", format=form),
        alt.Tooltip("high:Q", title="95% to", format=form),
        alt.Tooltip("count:Q", title=f"n, {measure.basis}", format=","),
    ]


def _projection(box: Box | None) -> dict[str, Any]:
    if box is None:
        return {"type": "albersUsa"}
    corners = [[box.west, box.south], [box.east, box.north]]
    return {
        "type": "mercator",
        "fit": {
            "type": "Feature",
            "properties": {},
            "geometry": {"type": "MultiPoint", "coordinates": corners},
        },
    }
