"""`sources`: what is here, what a log needs, what is missing and how to fetch it."""

import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from analytics.queries.needed_sources import NeededShard, needed_sources
from analytics.warehouse.connection import reading
from data.errors import SourceError, StoreError
from data.store import Store
from replay.commands.sources import app, fetch_command
from replay.plans.plan import plan
from replay.rebuilding.fidelity import Reason
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from tests.worlds.stores import LEVEL_0, SHARD, World, encoded, picture, write_shard

STEM = SHARD.removesuffix(".parquet")
ABSENT = "train-00011-of-00026.parquet"
GOOD = encoded(picture((320, 240)), "PNG")
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


# as streetreplay.py mounts it
whole = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
whole.add_typer(app)


def told(store: Store, *words: object) -> Any:
    result = CliRunner().invoke(whole, ["sources", "--store", str(store.root), *map(str, words)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return json.loads(result.stdout) if "--json" in words else result.stdout


def test_an_empty_store_is_the_usual_error(store: Store) -> None:
    with pytest.raises(StoreError, match="no warehouse"):
        told(store)


def test_a_folder_that_does_not_exist_is_the_usual_error(world: World) -> None:
    world.ask(0, **LEVEL_0)
    world.ingest()
    with pytest.raises(SourceError, match="no such folder"):
        told(world.store, "--sources", "nowhere")


def a_log(world: World) -> None:
    """Two rows of a shard (one asked twice), one too far, an absent shard, the unshared kinds."""
    for row in (0, 1, 1, 9):
        world.ask(row, **LEVEL_0)
    world.ask(0, metadata={"source_parquet": f"/x/{ABSENT}"}, **LEVEL_0)
    world.ask(0, metadata={"source_parquet": "../../etc/passwd"}, **LEVEL_0)
    world.ask(0, source="synthetic", **LEVEL_0)
    world.ask(0, source="api", **LEVEL_0)
    world.ask(1, source=None, **LEVEL_0)
    world.ingest()


def test_what_a_log_needs_are_rows_of_real_challenges(world: World) -> None:
    a_log(world)
    with reading(world.store) as connection:
        needed = needed_sources(connection)
    assert needed == [
        NeededShard(SHARD, 3, 5),
        NeededShard(ABSENT, 1, 1),
        NeededShard(None, 1, 1),
    ]


def test_the_report_counts_what_is_here_and_what_is_not(world: World) -> None:
    path = write_shard(world.store.sources, [encoded(picture((320, 240)))] * 3)
    a_log(world)
    report = told(world.store, "--json")
    assert report["folder"] == str(world.store.sources)
    assert report["shards"] == [
        {"name": SHARD, "file": SHARD, "rows": 3, "size": path.stat().st_size, "problem": None}
    ]
    assert (report["cached_images"], report["duplicates"]) == (0, [])
    by_shard = {one["parquet"]: one for one in report["needed"]}
    assert (by_shard[SHARD]["available"], by_shard[SHARD]["missing"]) == (4, {"row missing": 1})
    assert by_shard[ABSENT]["missing"] == {"shard missing": 1}
    assert by_shard[None]["missing"] == {"source row not named": 1}
    assert (report["challenges"], report["available"]) == (9, 4)
    assert report["available"] + sum(report["missing"].values()) == report["challenges"]
    fetch, refetch = report["remedy"]
    assert ABSENT in fetch
    assert SHARD in refetch
    assert refetch.endswith("--revision COMMIT")


def test_a_cached_image_covers_a_challenge_of_a_missing_shard(world: World, tmp_path: Path) -> None:
    a_log(world)
    cache = tmp_path / "cache"
    cache.mkdir()
    for row in (0, 1, 9):
        (cache / f"{STEM}__image_{row}.png").write_bytes(encoded(picture((320, 240)), "PNG"))
    report = told(world.store, "--sources", cache, "--json")
    assert report["cached_images"] == 3
    by_shard = {one["parquet"]: one for one in report["needed"]}
    assert (by_shard[SHARD]["available"], by_shard[SHARD]["missing"]) == (5, {})


def test_without_sources_a_person_is_told_what_to_run(world: World) -> None:
    a_log(world)
    text = told(world.store)
    assert f"{world.store.sources}: 0 shards (0 MB), 0 cached images" in text
    assert "0 of 9 challenges have a source image here" in text
    assert f"  {fetch_command([SHARD, ABSENT], world.store.sources)}\n" in text
    assert "--dry-run" in text


def test_with_all_sources_there_is_nothing_to_fetch(world: World) -> None:
    write_shard(world.store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **LEVEL_0)
    world.ingest()
    assert "hf download" not in told(world.store)
    assert told(world.store, "--json")["remedy"] == []


def test_a_damaged_shard_and_a_link_to_nothing_are_shown(world: World) -> None:
    world.store.sources.mkdir(parents=True)
    (world.store.sources / SHARD).write_bytes(b"PAR1 not really")
    (world.store.sources / ABSENT).symlink_to("nothing")
    a_log(world)
    damaged, lost = told(world.store, "--json")["shards"]
    assert (damaged["name"], damaged["rows"]) == (SHARD, None)
    assert "expected a parquet file" in damaged["problem"]
    assert lost["name"] == ABSENT
    assert "found a broken symbolic link" in lost["problem"]
    text = told(world.store)
    assert "bytes unreadable" in text
    assert f"{world.store.sources}: 0 shards (0 MB)" in text
    assert "--force-download" in text


def test_a_shard_whose_rows_cannot_be_read_is_not_here(world: World) -> None:
    """Its footer is whole; its first page is not."""
    path = write_shard(world.store.sources, [encoded(picture((320, 240)))] * 3)
    content = bytearray(path.read_bytes())
    content[4:400] = bytes(396)
    path.write_bytes(content)
    world.ask(0, **LEVEL_0)
    world.ingest()
    report = told(world.store, "--json")
    assert report["shards"][0]["problem"]
    assert (report["available"], report["missing"]) == (0, {"bytes unreadable": 1})


@pytest.mark.parametrize("content", [b"", b"not an image", POINTER])
def test_a_cached_image_that_cannot_be_opened_is_not_here(world: World, content: bytes) -> None:
    cached(world, content)
    world.ingest()
    report = told(world.store, "--json")
    assert (report["available"], report["missing"]) == (0, {"bytes unreadable": 1})


def test_unfinished_downloads_are_shown(world: World) -> None:
    hidden = world.store.sources / ".cache" / "huggingface" / "download" / "data"
    hidden.mkdir(parents=True)
    (hidden / "x1y2.etag.incomplete").write_bytes(b"PAR1")
    (world.store.sources / f"{SHARD}.incomplete").write_bytes(b"PAR1")
    world.ask(0, **LEVEL_0)
    challenges = world.ingest()
    report = told(world.store, "--json")
    assert [Path(one).name for one in report["unfinished"]] == [
        f"{SHARD}.incomplete",
        "x1y2.etag.incomplete",
    ]
    assert "unfinished downloads" in told(world.store)
    (item,) = plan(challenges, world.shards)
    assert item.reason is Reason.SHARD_MISSING
    assert "unfinished download" in (item.detail or "")


def test_copies_are_each_shown_with_their_place(world: World) -> None:
    write_shard(world.store.sources / "old", [GOOD])
    write_shard(world.store.sources / "new", [GOOD] * 2)
    world.ask(1, **LEVEL_0)
    world.ingest()
    report = told(world.store, "--json")
    assert [(one["file"], one["rows"]) for one in report["shards"]] == [
        (f"new/{SHARD}", 2),
        (f"old/{SHARD}", 1),
    ]
    assert report["duplicates"] == [str(world.store.sources / "old" / SHARD)]
    assert report["available"] == 1
    assert "used where it fits a record better" in told(world.store)


def test_the_command_to_fetch_is_safe_to_paste() -> None:
    words = shlex.split(fetch_command(["a b.parquet"], Path("/x; rm -rf y")))
    assert words[:3] == ["hf", "download", "natix-network-org/roadwork"]
    assert words[-2:] == ["--local-dir", "/x; rm -rf y"]
    assert words[words.index("--include") + 1] == "*a b.parquet"
    many = shlex.split(fetch_command([f"{k}.parquet" for k in range(9)], Path("x")))
    assert [many[k + 1] for k, word in enumerate(many) if word == "--include"] == ["*.parquet"]


def test_the_help_has_an_example() -> None:
    result = CliRunner().invoke(whole, ["sources", "--help"])
    assert "Example: streetreplay sources" in " ".join(result.output.split())


# what a rebuild makes of cached images


def cached(world: World, raw: bytes, name: str = f"{STEM}__image_0.png", **changes: Any) -> None:
    world.store.sources.mkdir(parents=True, exist_ok=True)
    (world.store.sources / name).write_bytes(raw)
    world.ask(0, **LEVEL_0 | changes)


def test_a_rebuild_from_the_cache_is_that_from_the_shard(world: World) -> None:
    raw = encoded(picture((320, 240)), "JPEG", quality=98)
    write_shard(world.store.sources, [raw])
    world.ask(0, **LEVEL_0)
    challenges = world.ingest()
    (challenge,) = challenges
    from_shard = Rebuilder(world.shards).rebuild(challenge)
    with Image.open(io.BytesIO(raw)) as image:
        image.save(world.store.sources / f"{STEM}__image_0.jpeg")
    (world.store.sources / SHARD).unlink()
    assert plan(challenges, world.shards)[0].reason is None
    assert Rebuilder(world.shards).rebuild(challenge).jpeg == from_shard.jpeg


@pytest.mark.parametrize(
    ("raw", "sidecar", "reason"),
    [
        (b"", None, Reason.BYTES),
        (GOOD[:2000], None, Reason.BYTES),
        (encoded(Image.new("1", (30_000, 30_000)), "PNG"), None, Reason.BYTES),
        (encoded(picture((640, 240)), "PNG"), None, Reason.OTHER_ROW),
        (GOOD, {"id": 99}, Reason.OTHER_ROW),
        (GOOD, {"id": 0, "gps": "[41.0, -80.0]"}, Reason.OTHER_ROW),
    ],
)
def test_a_cached_image_that_is_not_the_one_is_impossible_even_beside_its_shard(
    world: World, raw: bytes, sidecar: Any, reason: Reason
) -> None:
    write_shard(world.store.sources, [GOOD])
    cached(world, raw)
    if sidecar is not None:
        (world.store.sources / f"{STEM}__image_0.json").write_text(json.dumps(sidecar))
    (challenge,) = world.ingest()
    with pytest.raises(CannotRebuildError) as error:
        Rebuilder(world.shards).rebuild(challenge)
    assert error.value.reason is reason
    assert error.value.detail
