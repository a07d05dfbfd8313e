"""Positions that cannot be: against geopy, the golden records and every form of one position."""

import json
from pathlib import Path

import pytest
from geopy.distance import great_circle
from hypothesis import given
from hypothesis import strategies as st

from data.records.cities import CITIES, CITY_KILOMETRES, kilometres, position_problem
from data.records.media_record import read_challenge
from data.records.types import NullKind, Origin
from data.records.values import gps
from tests.conftest import CASES, golden_records

LATITUDES, LONGITUDES = st.floats(-90, 90), st.floats(-180, 180)


@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES)
def test_distances_are_geopys(lat: float, lon: float, other_lat: float, other_lon: float) -> None:
    expected = great_circle((lat, lon), (other_lat, other_lon)).km
    assert kilometres(lat, lon, other_lat, other_lon) == pytest.approx(expected, abs=0.01)


def test_the_data_set_has_18_cities() -> None:
    assert len(CITIES) == 18


@pytest.mark.parametrize("city", CITIES)
def test_a_position_is_of_its_own_city_and_no_other_and_never_swapped(city: str) -> None:
    latitude, longitude = CITIES[city]
    assert position_problem(latitude, longitude, city) is None
    assert position_problem(latitude, longitude, None) is None
    assert position_problem(latitude, longitude, "a city not seen before") is None
    assert position_problem(latitude, longitude, city.upper().replace("_", " ")) is None
    swapped = position_problem(longitude, latitude, city)
    assert swapped is not None
    assert "longitude before latitude" in swapped
    for other, place in CITIES.items():
        far = great_circle((latitude, longitude), place).km > CITY_KILOMETRES
        assert (position_problem(latitude, longitude, other) is not None) == far


@pytest.mark.parametrize(
    "place", [(0.0, 0.0), (39.77, 86.19), (-39.77, -86.19), (48.85, 2.35), (90.0, 0.0)]
)
def test_a_place_outside_the_country_is_a_problem_in_any_city(place: tuple[float, float]) -> None:
    for city in (None, "indianapolis", "a city not seen before"):
        assert position_problem(*place, city) == "a place outside the United States"


@pytest.mark.parametrize("era", ["e5", "e7", "e9"])
def test_no_position_of_a_golden_record_is_a_problem(golden: Path, era: str) -> None:
    for record in golden_records(golden, era):
        metadata = record.get("metadata") or {}
        if metadata.get("gps"):
            assert position_problem(*gps(metadata["gps"]), metadata["city_name"]) is None


def test_a_position_in_every_form_is_a_value_only_as_latitude_then_longitude() -> None:
    lines = (CASES / "gps-forms.jsonl").read_text(encoding="utf-8").splitlines()
    kept, problems = [], 0
    for number, line in enumerate(lines):
        logged = read_challenge(json.loads(line), Origin("gps", number))
        source = logged.challenge.source
        if source.gps_lat is not None:
            assert (source.gps_lat, source.gps_lon) == (39.77160604, -86.18823935)
            kept.append(json.loads(line)["metadata"]["gps"])
        elif logged.challenge.nulls["gps"] is NullKind.UNREADABLE:
            problems += 1
            (problem,) = logged.problems
            assert problem.column == "gps"
            assert (
                "expected [latitude, longitude]" in problem.reason
                or "expected a number" in problem.reason
            )
    assert kept == ["[39.77160604, -86.18823935]", "(39.77160604, -86.18823935)"]
    # `None` as text is a word that means null
    assert problems == len(lines) - len(kept) - 1


@pytest.mark.parametrize("value", ["[-86.18823935, 39.77160604]", [-86.18823935, 39.77160604]])
@pytest.mark.parametrize("city", ["indianapolis", None, "a city not seen before"])
def test_a_swapped_position_is_a_problem_and_costs_nothing_else(
    record: dict[str, object], value: object, city: str | None
) -> None:
    metadata = {**record["metadata"], "gps": value, "city_name": city}  # type: ignore[dict-item]
    logged = read_challenge(record | {"metadata": metadata}, Origin("log", 0))
    assert logged.challenge.source.gps_lat is None
    assert logged.challenge.source.gps_lon is None
    assert logged.challenge.source.city == city
    assert logged.challenge.nulls["gps"] is NullKind.UNREADABLE
    (problem,) = logged.problems
    assert "longitude before latitude" in problem.reason
    assert "-86.18823935" in problem.excerpt
