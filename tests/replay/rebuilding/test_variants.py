import hashlib
import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.records.media_record import read_challenge
from data.records.types import Origin
from data.sources.cached_image import cached_image
from data.sources.shards import Shards
from replay.augmentation import distortions
from replay.augmentation.augment import augment
from replay.rebuilding.rebuild import RebuiltImage, distinct_images
from replay.rebuilding.variant_builder import VariantBuilder
from replay.rebuilding.variants import (
    Distortions,
    Variant,
    distortion_combinations,
    sampled_variants,
)
from replay.settings import VariantSettings
from tests.conftest import golden_expected, golden_records
from tests.worlds.stores import picture

NAMES = {
    "CS": "saturation",
    "CC": "contrast",
    "JPEG": "blocks",
    "GNC": "noise",
    "GB": "blur",
}
CHALLENGE = "0123456789abcdef"
EVERYTHING = VariantSettings(count=None)


def sha(pixels: distortions.Pixels) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()


@pytest.mark.parametrize("era", ["e7", "e9", "e5"])
def test_every_golden_image_of_levels_2_and_3_is_among_the_possible_ones(
    golden: Path, era: str
) -> None:
    records, shards = golden_records(golden, era), Shards(golden / era / "sources")
    checked: Counter[str] = Counter()
    for want in golden_expected(golden, era):
        level = want["level"]
        if level < 2:
            continue
        challenge = read_challenge(records[want["challenge"]], Origin("x", 0)).challenge
        source = challenge.source
        raw = shards.read(source.parquet or "", source.row or 0).image
        base = augment(cached_image(raw), challenge.augmentation)
        variant_builder = VariantBuilder(base, challenge.challenge_id, seed=0)
        variants = sampled_variants(level, challenge.challenge_id, EVERYTHING)
        true = Distortions(**{NAMES[name]: value for name, value in want["distortions"]})
        if true.noise:
            state = np.random.RandomState(want["noise_seed"])
            state.random_sample()
            noise = state.randn(224, 224, 3)
            (one,) = (d for d in variants if d.distortions == true)
            assert sha(variant_builder.build(one, noise)) == want["pixels_sha256"]
            assert sha(variant_builder.build(one)) != want["pixels_sha256"]
        else:
            found = {sha(variant_builder.build(d)) for d in variants if not d.noisy}
            assert want["pixels_sha256"] in found
        checked[f"{level} {'noisy' if true.noise else 'noise-free'}"] += 1
    assert sum(checked.values()) == sum(e["level"] > 1 for e in golden_expected(golden, era))


@pytest.mark.parametrize(
    ("level", "total", "noise_free"),
    [(2, 8, 8), (3, 243, 81), (0, 1, 1), (1, 1, 1), (-1, 1, 1), (None, 1, 1)],
)
def test_combinations_are_those_that_the_validator_draws_from(
    level: int | None, total: int, noise_free: int
) -> None:
    combinations = distortion_combinations(level)
    assert len(set(combinations)) == len(combinations) == total
    assert sum(c.noise == 0 for c in combinations) == noise_free


@pytest.mark.parametrize("level", [0, 2, 3])
def test_the_table_of_combinations_is_built_once_for_all_challenges(level: int) -> None:
    assert distortion_combinations(level) is distortion_combinations(level)


@given(st.sampled_from([0, 1, 2, 3]), st.integers(1, 300), st.integers(0, 2**31))
def test_weights_sum_to_one_and_fewer_draws_keep_the_proportions(
    level: int, count: int, seed: int
) -> None:
    variants = sampled_variants(level, CHALLENGE, VariantSettings(count=count, seed=seed))
    total = len(distortion_combinations(level))
    assert len(variants) == min(count, total)
    assert math.isclose(sum(d.weight for d in variants), 1.0)
    assert variants == sampled_variants(level, CHALLENGE, VariantSettings(count=count, seed=seed))
    if level == 3:
        # the leading distortion is stratified: each of its three levels within one of its share
        counts = Counter(d.distortions.noise for d in variants)
        assert all(abs(counts[k] - len(variants) / 3) <= 1 for k in range(3))


def test_a_mean_over_draws_is_that_over_all_in_the_long_run() -> None:
    value = np.random.default_rng(0).random(243)
    means = [
        np.mean(
            [
                value[d.index]
                for d in sampled_variants(3, CHALLENGE, VariantSettings(count=16, seed=k))
            ]
        )
        for k in range(400)
    ]
    assert np.mean(means) == pytest.approx(value.mean(), abs=4 * np.std(means) / 20)
    assert np.std(means) <= 0.5 / math.sqrt(16)


@pytest.mark.parametrize("count", [2, 3, 9, 16, 27, 81])
@pytest.mark.parametrize("name", ["saturation", "contrast", "blocks", "noise", "blur"])
def test_the_stated_error_holds_when_one_distortion_decides(count: int, name: str) -> None:
    # draws at a fixed stride would all share the levels of what varies with that period
    value = np.array([float(getattr(one, name) > 0) for one in distortion_combinations(3)])
    means = [
        np.mean(
            [value[d.index] for d in sampled_variants(3, CHALLENGE, VariantSettings(count, seed))]
        )
        for seed in range(300)
    ]
    assert np.mean(means) == pytest.approx(value.mean(), abs=0.5 / math.sqrt(count) / 4)
    assert np.std(means) <= 0.5 / math.sqrt(count)


def test_fewer_draws_are_different_images() -> None:
    variants = sampled_variants(3, CHALLENGE, VariantSettings(count=200))
    assert len({one.index for one in variants}) == 200


def test_noise_is_the_same_each_time_and_differs_by_seed_challenge_and_variant() -> None:
    base = np.asarray(picture((224, 224)))
    noisy = [d for d in sampled_variants(3, CHALLENGE, EVERYTHING) if d.noisy][:2]
    first = sha(VariantBuilder(base, CHALLENGE, 0).build(noisy[0]))
    assert sha(VariantBuilder(base, CHALLENGE, 0).build(noisy[0])) == first
    others = {
        sha(VariantBuilder(base, CHALLENGE, 1).build(noisy[0])),
        sha(VariantBuilder(base, CHALLENGE[::-1], 0).build(noisy[0])),
        sha(VariantBuilder(base, CHALLENGE, 0).build(noisy[1])),
    }
    assert first not in others
    assert len(others) == 3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 242), st.integers(0, 20))
def test_shared_steps_give_what_each_step_alone_gives(index: int, seed: int) -> None:
    base = np.asarray(picture((224, 224), seed=seed))
    one = Variant(distortion_combinations(3)[index], 1.0, index)
    shared = VariantBuilder(base, CHALLENGE, 0)
    for other in distortion_combinations(3)[:27]:
        shared.build(Variant(other, 1.0, 0), np.zeros((224, 224, 3)))
    noise = np.random.default_rng(seed).standard_normal((224, 224, 3))
    plain = np.ascontiguousarray(base[:, :, ::-1])
    for name, step in distortions.STEPS:
        if level := getattr(one.distortions, name):
            plain = step(plain, level)
    if one.noisy:
        plain = distortions.noise(plain, one.distortions.noise, noise)
    if one.distortions.blur:
        plain = distortions.blur(plain, one.distortions.blur)
    assert np.array_equal(shared.build(one, noise), plain[:, :, ::-1])


def test_equal_images_are_one_with_their_weights_added() -> None:
    # a grey picture has no chroma to draw towards grey, so saturation makes the fewest differences
    base = np.full((224, 224, 3), 255, np.uint8)
    variants = [d for d in sampled_variants(3, CHALLENGE, EVERYTHING) if not d.noisy]
    variant_builder = VariantBuilder(base, CHALLENGE, 0)
    merged = distinct_images(
        [RebuiltImage(variant_builder.build(d), b"") for d in variants], variants
    )
    assert len(merged) < len(variants)
    assert len({one.image.pixels.tobytes() for one in merged}) == len(merged)
    assert math.isclose(sum(one.weight for one in merged), 81 / 243)
    assert not any(one.noisy for one in merged)


def test_uint8_to_float_and_back_is_the_identity() -> None:
    values = np.arange(256, dtype=np.uint8)
    way = ((values.astype(np.float32) / np.float32(255)) * np.float32(255)).astype(np.uint8)
    assert np.array_equal(way, values)


def test_contrast_by_table_equals_the_arithmetic() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    for level, factor in distortions.CONTRAST_FACTORS.items():
        expected = (values.astype(np.float32) * factor).astype(np.uint8)
        assert np.array_equal(distortions.contrast(values, level), expected)


def test_the_bundled_record_is_not_distorted(record: dict[str, object]) -> None:
    challenge = read_challenge(json.loads(json.dumps(record)), Origin("x", 0)).challenge
    level = challenge.augmentation.aug_level
    assert sampled_variants(level, challenge.challenge_id, VariantSettings()) == (
        Variant(Distortions(), 1.0, 0),
    )
