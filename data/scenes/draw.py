"""Draw road scenes with and without roadwork, in place of photographs, which may not be shipped.

A classifier must learn shape rather than colour from them: some work zones hold no orange, and many
roads without roadwork do (cars, awnings, autumn trees, a sunset).
"""

from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from data.scenes import objects
from data.scenes.canvas import Canvas, Colour, Light, Pixels, Placed, View
from data.scenes.looks import USUAL_LOOK, Look
from data.scenes.objects import Rng
from data.scenes.roadside import Road, draw_road, orange_roadside, roadside, traffic
from data.scenes.roadwork import WorkZone, place_work_zone, plan_work_zone

DAYTIMES = ("Light", "Dark", "Twilight")
ENVIRONMENTS = ("Urban", "Suburban", "Rural", "Highway")
WEATHERS = ("Sunny", "Partly Cloudy", "Cloudy", "Rainy", "Wet", "Snow", "Fog")

_SUNSET_SHARE = 0.45
_GRAIN_LEVELS = 12

# Skies as (colour at the top, colour at the horizon).
_OVERCAST: tuple[Colour, Colour] = ((150, 156, 164), (198, 202, 206))
_DUSK_SKY: tuple[Colour, Colour] = ((58, 66, 104), (176, 158, 168))
_SUNSET_SKY: tuple[Colour, Colour] = ((92, 78, 112), (242, 136, 50))
_SUNSET_WEATHERS = ("Sunny", "Partly Cloudy", "Cloudy")
_SKIES: dict[str, tuple[Colour, Colour]] = {
    "Sunny": ((64, 120, 196), (184, 208, 230)),
    "Partly Cloudy": ((84, 130, 192), (196, 210, 224)),
    "Rainy": ((108, 114, 122), (162, 168, 174)),
    "Fog": ((196, 200, 202), (208, 210, 210)),
    "Snow": ((176, 182, 190), (216, 220, 224)),
}
_DAYLIGHT = {"Sunny": 1.0, "Partly Cloudy": 0.94, "Snow": 0.97, "Fog": 0.88, "Rainy": 0.74}
_HAZE_M = {"Fog": 36.0, "Rainy": 90.0, "Snow": 70.0}


def draw_scene(
    rng: Rng,
    *,
    works: WorkZone | None,
    size: tuple[int, int],
    kept_clear: WorkZone | None = None,
    daytime: str = "Light",
    weather: str = "Sunny",
    environment: str = "Urban",
    look: Look = USUAL_LOOK,
) -> Image.Image:
    """Draw one road seen from a dash camera.

    Args:
        rng: the random generator; the same state draws the same pixels.
        works: the work zone, or None for a road without one.
        size: width and height in pixels, at least 64 each.
        kept_clear: without `works`, the zone that traffic keeps clear of; None: a random one.
        daytime: one of `DAYTIMES`; any other word is drawn as Light.
        weather: one of `WEATHERS`; any other word is drawn as Cloudy.
        environment: one of `ENVIRONMENTS`; any other word is drawn as Suburban.
        look: that of the city.

    Returns:
        An RGB image of `size`.
    """
    environment = environment if environment in ENVIRONMENTS else "Suburban"
    view = _view(rng, size)
    sky, light = _sky_and_light(rng, daytime, weather, look)
    canvas = Canvas(size, view, light)
    road = draw_road(rng, environment)
    _draw_sky(canvas, rng, sky, daytime, weather)
    _draw_horizon(canvas, rng, environment)
    _draw_ground(canvas, rng, road, look, environment, weather)
    placed: list[Placed] = roadside(rng, road, environment, dark=daytime == "Dark")
    placed += orange_roadside(rng, road, environment)
    # Traffic keeps clear of a zone also where there is none: empty lanes would give the label away.
    zone_rng = np.random.default_rng(int(rng.integers(1 << 62)))
    edge, zone = _zone_in_view(road, works or kept_clear or plan_work_zone(zone_rng), view, size)
    if works is not None:
        placed += place_work_zone(zone_rng, zone, edge, look.equipment)
    placed += traffic(rng, road, edge / zone.near_m)
    for x, z, draw in sorted(placed, key=lambda item: -item[1]):
        draw(canvas.plane(x, z))
    canvas.add_halos()
    _draw_precipitation(canvas, rng, weather)
    return Image.fromarray(_with_grain(canvas, rng))


def _view(rng: Rng, size: tuple[int, int]) -> View:
    width, height = size
    return View(
        focal=width * float(rng.uniform(0.68, 0.95)),
        centre=width / 2 + height * float(rng.uniform(-0.07, 0.07)),
        horizon=height * float(rng.uniform(0.4, 0.54)),
        height=float(rng.uniform(1.25, 1.75)),
        curvature=float(rng.normal(0.0, 3e-4)),
    )


def _sky_and_light(
    rng: Rng, daytime: str, weather: str, look: Look
) -> tuple[tuple[Colour, Colour], Light]:
    """The sky's colours (top, horizon) and the light below it, with a random white balance."""
    top, low = _SKIES.get(weather, _OVERCAST)
    ambient, headlight = (1.0, 1.0, 1.0), 0.0
    if daytime == "Dark":
        top, low = (8, 10, 20), (26, 26, 36)
        ambient, headlight = (0.17, 0.18, 0.23), float(rng.uniform(0.6, 0.85))
    elif daytime == "Twilight":
        red_sky = weather in _SUNSET_WEATHERS and objects.chance(rng, _SUNSET_SHARE)
        top, low = _SUNSET_SKY if red_sky else _DUSK_SKY
        ambient, headlight = (0.56, 0.47, 0.47) if red_sky else (0.46, 0.46, 0.54), 0.22
    else:
        ambient = (_DAYLIGHT.get(weather, 0.83),) * 3
    balance = (rng.uniform(0.88, 1.0) * rng.uniform(0.93, 1.0, 3)).tolist()
    red, green, blue = (
        level * gain * tint for level, gain, tint in zip(ambient, balance, look.light, strict=True)
    )
    haze = objects.shaded(low, 0.75 if daytime == "Twilight" else 1.0)
    return (top, low), Light((red, green, blue), headlight, haze, _HAZE_M.get(weather, 420.0))


def _draw_sky(
    canvas: Canvas, rng: Rng, sky: tuple[Colour, Colour], daytime: str, weather: str
) -> None:
    top, low = (np.array(colour, np.float64) for colour in sky)
    reach = np.linspace(0.0, 1.0, max(2, round(canvas.view.horizon) + 2))[:, None, None]
    column = (top + (low - top) * reach**1.4).astype(np.uint8)
    canvas.pixels[: len(column)] = cv2.resize(column, (canvas.width, len(column)))
    if weather == "Partly Cloudy" or (daytime != "Dark" and weather == "Cloudy"):
        white = objects.shaded((sky[1][0], sky[1][1], sky[1][2]), 1.12)
        for _ in range(int(rng.integers(4, 9))):
            _draw_cloud(canvas, rng, white)
    if daytime == "Dark" and weather == "Sunny":
        canvas.disc((canvas.width * float(rng.uniform(0.2, 0.8)), canvas.view.horizon * 0.3),
                    canvas.height * 0.014, (226, 224, 206))  # fmt: skip


def _draw_cloud(canvas: Canvas, rng: Rng, colour: Colour) -> None:
    x, y = rng.uniform(0, canvas.width), canvas.view.horizon * rng.uniform(0.05, 0.75)
    width = canvas.height * rng.uniform(0.08, 0.2)
    for _ in range(6):
        axes = (round(width * rng.uniform(0.4, 1.0)), round(width * rng.uniform(0.08, 0.2)))
        at = (round(x + rng.normal(0, width * 0.6)), round(y + rng.normal(0, width * 0.08)))
        cv2.ellipse(canvas.pixels, at, axes, 0.0, 0.0, 360.0, colour, -1, cv2.LINE_AA)


def _draw_horizon(canvas: Canvas, rng: Rng, environment: str) -> None:
    """Draw the horizon: a skyline, or hills and woods."""
    plane = canvas.plane(-canvas.view.curvature * 300.0**2, 300.0)
    half = 300.0 * canvas.width / canvas.view.focal
    if environment == "Urban":
        for left in np.arange(-half, half, 14.0).tolist():
            plane.rect(left, 0.0, left + 15.0, float(rng.uniform(8, 44)), (104, 108, 118))
        return
    steps = np.linspace(-half, half, 40)
    wave = np.cumsum(rng.normal(0.0, 2.2, 40))
    ridge = 8.0 + wave - wave.min() if environment == "Rural" else 7.0 + rng.uniform(0, 5, 40)
    points = list(zip(steps.tolist(), ridge.tolist(), strict=True))
    plane.poly([(-half, 0.0), *points, (half, 0.0)], (72, 92, 74))


def _draw_ground(
    canvas: Canvas, rng: Rng, road: Road, look: Look, environment: str, weather: str
) -> None:
    """Draw and light the ground: verge, pavement, road, wear, markings and puddles."""
    wet, snow = weather in ("Rainy", "Wet"), weather == "Snow"
    verge = objects.pick(rng, ((226, 230, 234),) if snow else look.verges[environment])
    asphalt = objects.pick(rng, look.asphalt)
    asphalt = objects.shaded(asphalt, 0.68 if wet else 1.0)
    canvas.fill_strip(-4000.0, 4000.0, verge)
    if environment in ("Urban", "Suburban"):
        for side, edge in ((-1, road.left), (1, road.right)):
            walk = (222, 224, 228) if snow else (170, 167, 160)
            canvas.fill_strip(edge, edge + side * 2.6, walk)
    canvas.fill_strip(road.left - 0.18, road.right + 0.18, objects.shaded(asphalt, 1.35))
    canvas.fill_strip(road.left, road.right, asphalt)
    _draw_wear(canvas, rng, road, asphalt, snow=snow)
    _draw_markings(canvas, road, environment)
    canvas.light_ground()
    if wet:
        _draw_puddles(canvas, rng, road)


def _draw_wear(canvas: Canvas, rng: Rng, road: Road, asphalt: Colour, *, snow: bool) -> None:
    """Draw wheel tracks, patches and, in winter, slush between the tracks."""
    track = objects.shaded(asphalt, 0.9)
    if snow:
        canvas.fill_strip(road.left, road.right, (186, 190, 196))
        track = objects.shaded(asphalt, 1.1)
    for x in (-0.8, 0.8):
        canvas.fill_strip(x - 0.35, x + 0.35, track)
    for _ in range(int(rng.integers(0, 5))):
        x, z = float(rng.uniform(road.left, road.right - 1.5)), float(rng.uniform(4, 40))
        width, depth = float(rng.uniform(0.6, 1.5)), float(rng.uniform(1, 5))
        corners = [(x, z), (x + width, z), (x + width, z + depth), (x, z + depth)]
        canvas.fill_ground(corners, objects.shaded(asphalt, float(rng.uniform(0.78, 1.15))))


def _draw_markings(canvas: Canvas, road: Road, environment: str) -> None:
    white, yellow = (226, 226, 222), (214, 176, 50)
    inset = 2.2 if environment == "Highway" else 0.15
    canvas.fill_strip(road.right - inset - 0.14, road.right - inset, white)
    if road.oncoming_to > road.left + 1.5:
        for x in (road.oncoming_to - 0.2, road.oncoming_to + 0.08):
            canvas.fill_strip(x, x + 0.12, yellow)
    else:
        canvas.fill_strip(road.left + 0.9, road.left + 1.04, yellow)
    first = road.oncoming_to % road.lane - road.lane * 4
    for x in np.arange(first, road.right - inset - 1.0, road.lane).tolist():
        if x < road.left + 1.5 or abs(x - road.oncoming_to) < 1.0:
            continue
        for z in np.arange(3.0, 110.0, 9.0).tolist():
            corners = [(x - 0.07, z), (x + 0.07, z), (x + 0.07, z + 3.2), (x - 0.07, z + 3.2)]
            canvas.fill_ground(corners, white)


def _draw_puddles(canvas: Canvas, rng: Rng, road: Road) -> None:
    """Draw wet patches that reflect the haze above the horizon."""
    reflection = objects.shaded(canvas.light.haze, 0.8)
    for _ in range(int(rng.integers(4, 10))):
        x, z = float(rng.uniform(road.left, road.right)), float(rng.uniform(5, 60))
        turn = np.linspace(0.0, 2 * np.pi, 12, endpoint=False)
        width, depth = rng.uniform(0.2, 0.8), rng.uniform(0.4, 2.5)
        shape = zip((x + width * np.cos(turn)).tolist(), (z + depth * np.sin(turn)).tolist(),
                    strict=True)  # fmt: skip
        canvas.fill_ground(list(shape), reflection)


def _zone_in_view(
    road: Road, works: WorkZone, view: View, size: tuple[int, int]
) -> tuple[float, WorkZone]:
    """The road's edge (x, metres) on the zone's side, and the zone moved ahead into view.

    Miners mostly see the middle square of a picture: a zone outside it would be a wrong label.
    """
    edge = road.right if works.side > 0 else road.left
    sideways = 0.36 * min(size) / view.focal  # metres to the side per metre ahead
    near = max(works.near_m, (abs(edge) - 1.3 * works.blocked) / sideways)
    return edge, replace(works, near_m=near)


def _draw_precipitation(canvas: Canvas, rng: Rng, weather: str) -> None:
    """Draw falling rain or snow."""
    if weather not in ("Rainy", "Snow"):
        return
    unit = canvas.height / 1080
    grey = objects.shaded((210, 214, 220), 0.5 + 0.5 * max(canvas.light.ambient))
    for x, y, drift in rng.random((130, 3)).tolist():
        at = (round(x * canvas.width), round(y * canvas.height))
        if weather == "Snow":
            cv2.circle(canvas.pixels, at, max(1, round((1 + 4 * drift) * unit)), grey, -1)
        else:
            end = (round(at[0] + 6 * unit), round(at[1] + (18 + 26 * drift) * unit))
            cv2.line(canvas.pixels, at, end, grey, 1, cv2.LINE_AA)


def _with_grain(canvas: Canvas, rng: Rng) -> Pixels:
    """The pixels with sensor noise added, in 0..12 grey levels; H x W x 3, uint8."""
    tile = rng.integers(0, _GRAIN_LEVELS + 1, (256, 256, 1), dtype=np.uint8).repeat(3, axis=2)
    down, right = max(0, canvas.height - 256), max(0, canvas.width - 256)
    grain = cv2.copyMakeBorder(tile, 0, down, 0, right, cv2.BORDER_WRAP)
    return np.asarray(cv2.add(canvas.pixels, grain[: canvas.height, : canvas.width]), np.uint8)
