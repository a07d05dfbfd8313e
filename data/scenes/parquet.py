"""Write drawn scenes as parquet shards in the public data set's form, for demos without a download.

Row k is a function of (seed, k) alone: neither the number of rows, nor the shards, nor the workers
change a byte of it.
"""

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import PIL
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from data.atomic_files import atomic_file
from data.machine.processes import Work, cores, processes
from data.scenes.draw import draw_scene
from data.scenes.looks import UNLIKE_LOOK, USUAL_LOOK
from data.scenes.plan import Scene, SceneSettings, description, plan_scene

_PIXEL_STREAM = 2  # the random stream of the pixels; plans use 0 and 1

# Fewer rows are drawn sooner than processes start.
_LEAST_ROWS_FOR_PROCESSES = 100
_ROWS_PER_TASK = 4

# The key of the fingerprint in a shard's metadata.
_FINGERPRINT_KEY = b"streetreplay.drawn"

_DrawRows = Callable[[Iterable[int]], Iterator[dict[str, object]]]
"""Draws the rows of some numbers, in their order."""

SCHEMA = pa.schema(
    [
        ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("id", pa.int64()),
        ("width", pa.int64()),
        ("height", pa.int64()),
        ("license", pa.int64()),
        ("flickr_url", pa.null()),
        ("coco_url", pa.null()),
        ("date_captured", pa.int64()),
        ("gps", pa.string()),
        ("city_name", pa.string()),
        ("scene_description", pa.string()),
        ("video_info.frame_id", pa.string()),
        ("video_info.seq_id", pa.int64()),
        ("video_info.vid_id", pa.string()),
        ("scene_level_tags.daytime", pa.string()),
        ("scene_level_tags.scene_environment", pa.string()),
        ("scene_level_tags.travel_alteration", pa.string()),
        ("scene_level_tags.weather", pa.string()),
        ("label", pa.int64()),
    ]
)


def write_shards(
    directory: Path,
    settings: SceneSettings,
    *,
    workers: int | None = None,
    on_progress: Callable[[int], object] = lambda _: None,
) -> list[Path]:
    """Draw all rows and write them as `<split>-00000-of-0000N.parquet`.

    A shard appears whole or not at all. The bytes do not depend on `workers`. Shards that the same
    version of this code has drawn by the same settings are not drawn again.

    Args:
        directory: made when missing; shards of the same names are replaced.
        settings: what to draw.
        workers: processes; 1: this one alone; None: one a core, if there are rows enough.
        on_progress: called with the number of rows that were drawn.

    Returns:
        The shards' paths, in order.

    Raises:
        ValueError: no rows or shards, or a row group of no rows.
        RunError: a process died.
    """
    if min(settings.rows, settings.shards, settings.row_group_rows) < 1:
        raise ValueError(f"rows, shards and row_group_rows must be at least 1: {settings}")
    directory.mkdir(parents=True, exist_ok=True)
    names = [
        f"{settings.split}-{shard:05d}-of-{settings.shards:05d}.parquet"
        for shard in range(settings.shards)
    ]
    paths = [directory / name for name in names]
    fingerprint = _fingerprint(settings)
    if all(_stored_fingerprint(path) == fingerprint for path in paths):
        on_progress(settings.rows)
        return paths
    bounds = [settings.rows * shard // settings.shards for shard in range(settings.shards + 1)]
    default_workers = cores() if settings.rows >= _LEAST_ROWS_FOR_PROCESSES else 1
    with _row_drawing(settings, workers or default_workers) as draw_rows:
        for shard, path in enumerate(paths):
            rows = range(settings.first_row + bounds[shard], settings.first_row + bounds[shard + 1])
            _write_shard(
                path,
                settings,
                rows,
                draw_rows,
                SCHEMA.with_metadata({_FINGERPRINT_KEY: fingerprint}),
                on_progress,
            )
    return paths


def _fingerprint(settings: SceneSettings) -> bytes:
    """A hash of all that determines a shard: settings, this code, and the versions of libraries."""
    parts = [repr(settings), cv2.__version__, np.__version__, PIL.__version__, pa.__version__]
    code = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"\0".join([*map(str.encode, parts), *code])).hexdigest().encode()


def _stored_fingerprint(path: Path) -> bytes | None:
    """The fingerprint that a shard was drawn with; None for a file that is no drawn shard."""
    try:
        return (pq.read_schema(path).metadata or {}).get(_FINGERPRINT_KEY)
    except (pa.ArrowException, OSError):
        return None


@contextmanager
def _row_drawing(settings: SceneSettings, workers: int) -> Iterator[_DrawRows]:
    """A function that draws rows, here or in processes (threads would wait for Python's lock)."""
    draw = partial(scene_row, settings)
    if workers == 1:
        yield partial(map, draw)
        return
    with processes(workers, cv2.setNumThreads, 1, work=Work("drawing scenes")) as pool:
        yield partial(pool.map, draw, chunksize=_ROWS_PER_TASK)


def _write_shard(
    path: Path,
    settings: SceneSettings,
    rows: range,
    draw_rows: _DrawRows,
    schema: pa.Schema,
    on_progress: Callable[[int], object],
) -> None:
    with atomic_file(path) as temporary, pq.ParquetWriter(temporary, schema) as writer:
        for start in range(0, len(rows), settings.row_group_rows):
            group = []
            for row in draw_rows(rows[start : start + settings.row_group_rows]):
                group.append(row)
                on_progress(1)
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


def scene_row(settings: SceneSettings, row: int) -> dict[str, object]:
    """A drawn row with the public data set's columns, of `SCHEMA`."""
    scene = plan_scene(settings, row)
    path = f"{row:05d}.{scene.image_format}"
    return {"image": {"bytes": _encoded(settings, scene), "path": path}, **scene_columns(scene)}


def scene_columns(scene: Scene) -> dict[str, object]:
    """The 18 columns of a row beside its image."""
    daytime, environment, alteration, weather = scene.tags
    return {
        "id": scene.row,
        "width": scene.size[0],
        "height": scene.size[1],
        "license": 0,
        "flickr_url": None,
        "coco_url": None,
        "date_captured": 0,
        "gps": None if scene.gps is None else f"[{scene.gps[0]:.8f}, {scene.gps[1]:.8f}]",
        "city_name": scene.video.city,
        "scene_description": None if scene.works is None else description(scene.works),
        "video_info.frame_id": f"{scene.video.first_frame + 30 * scene.frame_index:05d}.jpg",
        "video_info.seq_id": scene.frame_index,
        "video_info.vid_id": scene.video.vid_id,
        "scene_level_tags.daytime": daytime,
        "scene_level_tags.scene_environment": environment,
        "scene_level_tags.travel_alteration": alteration,
        "scene_level_tags.weather": weather,
        "label": int(scene.works is not None),
    }


def scene_image(settings: SceneSettings, scene: Scene) -> Image.Image:
    """The RGB picture of a planned scene, before it is made grey or transparent and encoded."""
    unlike = scene.video.city in settings.unlike_cities
    return draw_scene(
        np.random.default_rng([settings.seed, _PIXEL_STREAM, scene.number]),
        works=scene.works,
        kept_clear=scene.kept_clear,
        size=scene.size,
        daytime=scene.video.daytime,
        weather=scene.video.weather,
        environment=scene.video.environment,
        look=UNLIKE_LOOK if unlike else USUAL_LOOK,
    )


def _encoded(settings: SceneSettings, scene: Scene) -> bytes:
    """The image file of a scene, in its format and mode."""
    image = scene_image(settings, scene)
    if scene.mode == "RGBA":
        # Translucent, so that code that composites differs from the validator, which drops alpha.
        image.putalpha(Image.linear_gradient("L").resize(scene.size).point(lambda a: 128 + a // 2))
    elif scene.mode != "RGB":
        image = image.convert(scene.mode)
    file = io.BytesIO()
    if scene.image_format == "png":
        image.save(file, "PNG", compress_level=1)
    else:
        image.save(file, "JPEG", quality=settings.jpeg_quality)
    return file.getvalue()
