import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms as T  # noqa: N812
from torchvision.transforms import functional as F  # noqa: N812

from analytics.ingest.ingest import ingest
from analytics.queries.challenges import ChallengeSelection, stored_challenges
from analytics.warehouse.connection import reading
from data.sources.cached_image import cached_image
from data.sources.shards import Shards
from data.store import Store
from replay.pictures.jpeg_files import render
from replay.plans.plan import plan
from replay.rebuilding.fidelity import Fidelity, Reason
from replay.rebuilding.rebuild import CannotRebuildError, Rebuilder
from tests.conftest import golden_expected
from tests.worlds.stores import LEVEL_0, World, encoded, level_1, picture, write_shard


@pytest.fixture
def world(store: Store, record: dict[str, Any]) -> World:
    return World(store, record)


def same_pixels(one: Any, other: Any) -> bool:
    return np.array_equal(np.asarray(one), np.asarray(other))


def sent(pixels: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


@pytest.mark.parametrize(("era", "images"), [("e7", 60), ("e9", 16), ("e5", 8)])
def test_every_golden_image_of_level_0_and_1_is_equal_in_pixels(
    store: Store, golden: Path, tmp_path: Path, era: str, images: int
) -> None:
    ingest(store, [golden / era / "challenges.jsonl"])
    with reading(store) as connection:
        challenges = stored_challenges(connection, ChallengeSelection(limit=images))
    shards = Shards(golden / era / "sources")
    rendered = render(plan(challenges, shards), shards, tmp_path / "out")
    expected = golden_expected(golden, era)
    assert [one.position for one in rendered] == [one["challenge"] for one in expected]
    exact = 0
    for one, want in zip(rendered, expected, strict=True):
        if want["level"] not in (0, 1):
            assert (one.fidelity, one.reason) == ("distribution", None)
            continue
        exact += 1
        assert (one.fidelity, one.reason) == (Fidelity.EXACT, None)
        assert one.pixels_sha256 == [want["pixels_sha256"]]
        assert (one.weights, one.noisy) == ([1.0], [False])
        raw = Path(one.files[0]).read_bytes()
        assert one.jpeg_sha256 == [hashlib.sha256(raw).hexdigest()]
        # JPEG bytes depend on libjpeg, decoded pixels hardly do
        golden_jpeg = golden / era / "jpeg" / f"{want['challenge']:05d}.jpg"
        if golden_jpeg.exists():
            ours, theirs = (np.asarray(Image.open(p), int) for p in (one.files[0], golden_jpeg))
            assert np.abs(ours - theirs).max() <= 2
    assert exact >= 5


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (224, 224), (100, 61), (1023, 767)])
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
def test_level_0_is_torchvisions_own_chain(world: World, size: tuple[int, int], mode: str) -> None:
    image = picture(size, mode)
    write_shard(world.store.sources, [encoded(image, "PNG")])
    world.ask(0, size=size, **LEVEL_0)
    (challenge,) = world.ingest()
    chain = T.Compose([T.CenterCrop(min(size)), T.Resize((224, 224)), T.ToTensor()])
    expected = F.to_pil_image(chain(image.convert("RGB")))
    assert sent(Rebuilder(world.shards).rebuild(challenge).pixels) == sent(np.asarray(expected))


@pytest.mark.parametrize("horizontal", [False, True])
@pytest.mark.parametrize("vertical", [False, True])
def test_level_1_flips_only_where_the_record_says_so(
    world: World, horizontal: bool, vertical: bool
) -> None:
    image = picture((320, 240))
    write_shard(world.store.sources, [encoded(image, "PNG")])
    world.ask(0, **level_1(7.5, [3, 20, 200, 200], horizontal=horizontal, vertical=vertical))
    (challenge,) = world.ingest()
    tensor = F.rotate(F.to_tensor(image), 7.5)
    tensor = F.resized_crop(tensor, 3, 20, 200, 200, [224, 224], antialias=True)
    tensor = F.hflip(tensor) if horizontal else tensor
    tensor = F.vflip(tensor) if vertical else tensor
    expected = np.asarray(F.to_pil_image(tensor))
    assert sent(Rebuilder(world.shards).rebuild(challenge).pixels) == sent(expected)


def test_all_256_values_survive_the_way_through_float() -> None:
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(values.float().div(255).mul(255).byte(), values)


def test_the_cache_encodes_a_jpeg_again_and_keeps_a_png(world: World) -> None:
    image = picture((320, 240))
    fine = encoded(image, "JPEG", quality=98, subsampling=0)
    once = Image.open(io.BytesIO(fine))
    saved = io.BytesIO()
    once.save(saved, format="JPEG")
    assert same_pixels(cached_image(fine), Image.open(saved))
    assert not same_pixels(cached_image(fine), once)
    assert same_pixels(cached_image(encoded(image, "PNG")), image)


def test_exif_orientation_is_not_applied(world: World) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(picture((320, 240)), "JPEG", exif=exif)
    assert cached_image(turned).size == (320, 240)


def test_a_failed_augmentation_went_out_as_cached_and_grey_stays_grey(world: World) -> None:
    grey = picture((320, 240), "L")
    write_shard(world.store.sources, [encoded(grey, "PNG"), encoded(picture((320, 240)), "PNG")])
    failed: dict[str, Any] = {"data_aug_level": -1, "data_aug_params": {}}
    for row in (0, 1):
        world.ask(row, **failed)
    first, second = world.ingest()
    rebuilder = Rebuilder(world.shards)
    image = rebuilder.rebuild(first)
    assert same_pixels(image.pixels, grey)
    assert Image.open(io.BytesIO(image.jpeg)).mode == "L"
    assert image.decoded().shape == (240, 320, 3)
    assert rebuilder.rebuild(second).pixels.shape == (240, 320, 3)


def test_an_era_without_augmentation_sends_the_cached_image(world: World) -> None:
    image = picture((320, 240))
    write_shard(world.store.sources, [encoded(image, "PNG")])
    record = world.ask(0)
    del record["data_aug_level"], record["data_aug_params"]
    (challenge,) = world.ingest()
    assert same_pixels(Rebuilder(world.shards).rebuild(challenge).pixels, image)


def test_base64_text_holds_the_same_image_as_bytes(world: World) -> None:
    raw = encoded(picture((320, 240)))
    write_shard(world.store.sources, [raw], as_text=True)
    world.ask(0, **LEVEL_0)
    (challenge,) = world.ingest()
    from_text = Rebuilder(world.shards).rebuild(challenge)
    write_shard(world.store.sources, [raw])
    assert from_text.jpeg == Rebuilder(world.shards).rebuild(challenge).jpeg


def a_bomb() -> bytes:
    return encoded(Image.new("1", (30_000, 30_000)), "PNG")


@pytest.mark.parametrize(
    ("raw", "changes", "reason"),
    [
        (b"no image", LEVEL_0, Reason.BYTES),
        (b"", LEVEL_0, Reason.BYTES),
        (encoded(picture((320, 240)))[:2000], LEVEL_0, Reason.BYTES),
        (a_bomb(), LEVEL_0, Reason.BYTES),
        (encoded(picture((320, 240))), level_1(0, [100, 100, 200, 200]), Reason.CROP_OUTSIDE),
        (encoded(picture((320, 240))), level_1(0, [0, 0, 0, 0]), Reason.PARAMETERS),
        (encoded(picture((640, 240))), LEVEL_0, Reason.OTHER_ROW),
        (encoded(picture((320, 240))), LEVEL_0 | {"metadata": {"id": 99}}, Reason.OTHER_ROW),
        (
            encoded(picture((320, 240))),
            LEVEL_0 | {"metadata": {"gps": "[40.5, -86.0]"}},
            Reason.OTHER_ROW,
        ),
    ],
)
def test_a_source_that_is_not_what_the_record_says_is_impossible_not_a_crash(
    world: World, tmp_path: Path, raw: bytes, changes: dict[str, Any], reason: Reason
) -> None:
    write_shard(world.store.sources, [raw, encoded(picture((320, 240)))])
    world.ask(0, **changes)
    world.ask(1, **LEVEL_0)
    challenges = world.ingest()
    with pytest.raises(CannotRebuildError) as error:
        Rebuilder(world.shards).rebuild(challenges[0])
    assert error.value.reason is reason
    planned = plan(challenges, world.shards)
    bad, good = render(planned, world.shards, tmp_path / "out")
    assert (bad.fidelity, bad.reason, bad.files) == (Fidelity.IMPOSSIBLE, reason, [])
    assert bad.detail
    assert len(good.files) == 1


def test_rows_are_found_across_row_groups(world: World) -> None:
    images = [encoded(picture((320, 240), seed=k), "PNG") for k in range(5)]
    write_shard(world.store.sources, images)
    for row in range(5):
        world.ask(row, **LEVEL_0)
    rebuilder = Rebuilder(world.shards)
    found = [sent(rebuilder.rebuild(challenge).pixels) for challenge in world.ingest()]
    assert len(set(found)) == 5
