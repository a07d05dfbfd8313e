"""Plan each scene before it is drawn: its video, position, weather, work zone and file format.

Scene k is a function of (seed, k) alone: neither the number of rows nor that of shards matters.
Row k shows scene k; in pairs rows 2k and 2k + 1 show it, with a work zone and without.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from data.records.cities import CITIES
from data.scenes.objects import Rng, chance
from data.scenes.roadwork import WorkZone, plan_work_zone

Value = TypeVar("Value")

# Every block of rows is divided into videos by its index alone, so a row determines its video.
_BLOCK_ROWS = 12
_VIDEO_LENGTHS = ((12,), (7, 5), (4, 8), (3, 4, 5), (6, 1, 5))
_DAYTIMES = (("Light", 0.64), ("Dark", 0.18), ("Twilight", 0.18))
_ENVIRONMENTS = (("Urban", 0.42), ("Suburban", 0.26), ("Rural", 0.14), ("Highway", 0.18))
_WEATHERS = (
    ("Sunny", 0.38), ("Partly Cloudy", 0.2), ("Cloudy", 0.18), ("Rainy", 0.08), ("Wet", 0.06),
    ("Snow", 0.05), ("Fog", 0.05),
)  # fmt: skip
_KILOMETRES_PER_DEGREE = 111.32
_SCATTER_KILOMETRES = 6.0
_GPS_KNOWN, _TAGS_UNKNOWN = 0.93, 0.85
_PNG_PIXELS = 1920 * 1080
_VIDEO_STREAM, _ROW_STREAM = 0, 1  # random streams; that of the pixels is 2


@dataclass(frozen=True)
class SceneSettings:
    """Settings of a drawn data set. Mixes are (value, share) pairs; shares need not sum to 1.

    `format_mix` values are (image format, Pillow mode). `first_row` is the id of the first row:
    a second set that continues the first never repeats a scene. `pale_share` is the share of work
    zones with little or no orange. With `paired` every scene is drawn twice, with a work zone and
    in the next row without, so that a model trained on the pairs learns the difference.
    `city_mix` says how often a video is of each city (see `cities_with`); empty: all alike.
    `unlike_cities` are drawn otherwise than the others: roads, verges, light and works' equipment.
    """

    seed: int = 0
    rows: int = 240
    shards: int = 2
    row_group_rows: int = 40
    first_row: int = 0
    split: str = "train"
    roadwork_share: float = 0.5
    paired: bool = False
    pale_share: float = 0.32
    size_mix: tuple[tuple[tuple[int, int], float], ...] = (
        ((1920, 1080), 0.8),
        ((1280, 720), 0.1),
        ((640, 480), 0.08),
        ((4032, 3024), 0.02),
    )
    format_mix: tuple[tuple[tuple[str, str], float], ...] = (
        (("jpeg", "RGB"), 0.92),
        (("png", "RGB"), 0.04),
        (("jpeg", "L"), 0.015),
        (("png", "L"), 0.01),
        (("png", "RGBA"), 0.015),
    )
    jpeg_quality: int = 90
    city_mix: tuple[tuple[str, float], ...] = ()
    unlike_cities: tuple[str, ...] = ()


@dataclass(frozen=True)
class Video:
    """What the rows of one dash camera video share; start and step per row in GPS degrees."""

    vid_id: str
    city: str
    start: tuple[float, float]
    step: tuple[float, float]
    first_frame: int
    daytime: str
    weather: str
    environment: str


@dataclass(frozen=True)
class Scene:
    """The plan of one row: it has label 1 if it has `works`, a work zone.

    `number` seeds its random generator; both scenes of a pair share it. `frame_index` is its
    0-based index in the video. `kept_clear` is the work zone of the pair's other scene.
    """

    row: int
    number: int
    frame_index: int
    video: Video
    works: WorkZone | None
    kept_clear: WorkZone | None
    size: tuple[int, int]
    image_format: str
    mode: str
    gps: tuple[float, float] | None
    tags: tuple[str | None, str | None, str | None, str | None]


def plan_scene(settings: SceneSettings, row: int) -> Scene:
    """The plan of a row: everything but its pixels."""
    number, without = divmod(row, 2) if settings.paired else (row, 0)
    video, frame_index = _video(settings, number)
    rng = np.random.default_rng([settings.seed, _ROW_STREAM, number])
    works = None
    if chance(rng, 1.0 if settings.paired else settings.roadwork_share):
        works = plan_work_zone(rng, pale_share=settings.pale_share)
    size = _sample(rng, settings.size_mix)
    image_format, mode = _sample(rng, settings.format_mix)
    if size[0] * size[1] > _PNG_PIXELS:  # a PNG of 12 megapixels takes seconds to write
        image_format = "jpeg"
        mode = "L" if mode == "L" else "RGB"
    gps = None
    if chance(rng, _GPS_KNOWN):
        north, east = (float(rng.normal(0.0, 3e-5)) for _ in range(2))
        gps = (
            video.start[0] + video.step[0] * frame_index + north,
            video.start[1] + video.step[1] * frame_index + east,
        )
    shown, kept_clear = (None, works) if without else (works, None)
    tags = _tags(rng, video, shown)
    return Scene(
        row, number, frame_index, video, shown, kept_clear, size, image_format, mode, gps, tags
    )


def cities_with(city: str, share: float) -> tuple[tuple[str, float], ...]:
    """A `city_mix` in which one city has `share`, 0..1, and the others divide the rest alike.

    A share of 0 holds the city back.

    Raises:
        ValueError: no such city of the data set, or a share out of range.
    """
    if city not in CITIES or not 0.0 <= share <= 1.0:
        raise ValueError(f"{city} with share {share}, expected a city of CITIES and 0..1")
    rest = (1.0 - share) / (len(CITIES) - 1)
    return tuple((name, share if name == city else rest) for name in CITIES)


def description(works: WorkZone) -> str:
    """A description of a work zone as an annotator of the data set writes it."""
    side = "right" if works.side > 0 else "left"
    named = [_NAMES.get(kind, kind) for kind in works.kinds]
    listed = " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
    effect = {0.0: "along the road", 0.5: "partially blocking road"}.get(
        works.blocked, "closing one lane"
    )
    return f"Work zone on the {side} side of the road. {listed.capitalize()} {effect}."


_NAMES = {
    "sign": "work zone sign",
    "truck": "work vehicle with arrow board",
    "excavator": "work equipment",
    "dirt": "dirt pile",
    "plates": "steel plates",
    "red barricades": "barricades",
}


def _video(settings: SceneSettings, number: int) -> tuple[Video, int]:
    """The video that a scene belongs to, and its index there."""
    seed = settings.seed
    block, frame_index = divmod(number, _BLOCK_ROWS)
    lengths = _VIDEO_LENGTHS[
        int(np.random.default_rng([seed, _VIDEO_STREAM, block]).integers(len(_VIDEO_LENGTHS)))
    ]
    video_index = 0
    while frame_index >= lengths[video_index]:
        frame_index -= lengths[video_index]
        video_index += 1
    rng = np.random.default_rng([seed, _VIDEO_STREAM, block, video_index + 1])
    if settings.city_mix:
        city = _sample(rng, settings.city_mix)
    else:
        city = list(CITIES)[int(rng.integers(len(CITIES)))]
    north, east = (float(rng.normal(0.0, _SCATTER_KILOMETRES)) for _ in range(2))
    heading, step_km = float(rng.uniform(0.0, 2 * np.pi)), float(rng.uniform(0.015, 0.06))
    lat, lon = CITIES[city]
    shrink = float(np.cos(np.radians(lat))) * _KILOMETRES_PER_DEGREE
    video = Video(
        vid_id=rng.bytes(16).hex(),
        city=city,
        start=(lat + north / _KILOMETRES_PER_DEGREE, lon + east / shrink),
        step=(
            step_km * float(np.cos(heading)) / _KILOMETRES_PER_DEGREE,
            step_km * float(np.sin(heading)) / shrink,
        ),
        first_frame=30 * int(rng.integers(0, 150)),
        daytime=_sample(rng, _DAYTIMES),
        weather=_sample(rng, _WEATHERS),
        environment=_sample(rng, _ENVIRONMENTS),
    )
    return video, frame_index


def _tags(
    rng: Rng, video: Video, works: WorkZone | None
) -> tuple[str | None, str | None, str | None, str | None]:
    """Daytime, environment, alteration and weather as the data set writes them.

    Rows of label 0 mostly hold none: the data set has the same label leak.
    """
    if works is None and chance(rng, _TAGS_UNKNOWN):
        return None, None, None, None
    weather = "['Cloudy', 'Wet']" if video.weather == "Wet" else f"['{video.weather}']"
    return (
        _with_gaps(rng, video.daytime, "Unknown"),
        _with_gaps(rng, video.environment, "Unknown"),
        _alteration(works),
        _with_gaps(rng, weather, "['Unknown']"),
    )


def _alteration(works: WorkZone | None) -> str:
    if works is None or works.blocked == 0.0:
        return "[]"
    if works.blocked < 1.0:
        return "['Partially Blocked']"
    if any("barri" in kind for kind in works.kinds):
        return "['Fully Blocked']"
    return "['Lane Shift', 'Partially Blocked']"


def _with_gaps(rng: Rng, text: str, unknown: str) -> str | None:
    """`text`, or at random null or the word for unknown."""
    if chance(rng, 0.05):
        return None
    return unknown if chance(rng, 0.05) else text


def _sample(rng: Rng, mix: tuple[tuple[Value, float], ...]) -> Value:
    """A random value of a mix, by its shares."""
    shares = np.cumsum([share for _, share in mix])
    return mix[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))][0]
