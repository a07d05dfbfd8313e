from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torchvision.transforms import functional as F  # noqa: N812

from data.errors import RunError
from data.records.types import Geometry
from data.scenes.parquet import write_shards
from data.scenes.plan import SceneSettings
from data.sources.cached_image import cached_image
from data.sources.shards import Shards
from model.datasets.challenge_draws import Sample, draw_challenge, draw_samples
from model.datasets.settings import DatasetSettings, Era
from model.rows.source_rows import list_rows
from model.rows.training_row import TrainingRow
from replay.rebuilding.rebuild import Rebuilder
from replay.rebuilding.variants import Distortions, distortion_combinations

ROW = TrainingRow("a.parquet", 3, 1, (320, 240), {"vid_id": "v", "frame_id": 7})
CROP, LETTERBOX = DatasetSettings(), DatasetSettings(era="letterbox")
SCENES = SceneSettings(seed=9, rows=12, size_mix=(((320, 240), 0.5), ((90, 150), 0.5)))


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Shards:
    folder = tmp_path_factory.mktemp("sources")
    write_shards(folder, SCENES)
    return Shards(folder)


def level(sample: Sample) -> int | None:
    return sample.challenge.augmentation.aug_level


@pytest.mark.parametrize("drawn_by", [CROP, LETTERBOX], ids=["crop", "letterbox"])
def test_levels_and_distortions_are_equally_likely_as_the_validators(
    drawn_by: DatasetSettings,
) -> None:
    samples = draw_samples(ROW, 0, 4000, 1, drawn_by)
    levels = Counter(level(sample) for sample in samples)
    assert levels.keys() == {0, 1, 2, 3}
    assert chisquare(list(levels.values())).pvalue > 0.01
    geometry = Geometry.CROP if drawn_by is CROP else Geometry.LETTERBOX
    assert {sample.challenge.augmentation.geometry for sample in samples} == {geometry}
    assert {sample.challenge.era for sample in samples} == {"E7" if drawn_by is CROP else "E9"}
    for drawn in range(4):
        variants = [sample.variant for sample in samples if level(sample) == drawn]
        possible = distortion_combinations(drawn)
        assert all(possible[variant.index] == variant.distortions for variant in variants)
        times = Counter(variant.index for variant in variants)
        counts = [times[index] for index in range(len(possible))]
        assert len(possible) == 1 or chisquare(counts).pvalue > 0.01


@pytest.mark.parametrize("shares", [(0.0, 1.0, 0.0, 3.0), (5.0, 0.0, 0.0, 0.0), (0, 0, 2, 2)])
def test_levels_are_drawn_in_the_shares_asked_for(shares: tuple[float, ...]) -> None:
    samples = draw_samples(ROW, 0, 2000, 1, DatasetSettings(level_shares=shares))
    levels = Counter(level(sample) for sample in samples)
    drawn = [share for share in shares if share]
    assert levels.keys() == {number for number, share in enumerate(shares) if share}
    expected = [share / sum(drawn) * len(samples) for share in drawn]
    counts = [levels[number] for number in sorted(levels, key=str)]
    assert len(counts) == 1 or chisquare(counts, expected).pvalue > 0.01


@pytest.mark.parametrize(
    "shares",
    [
        (1.0, 1.0, 1.0),
        (0.2,) * 5,
        (0.0,) * 4,
        (),
        (-1.0, 1, 1, 1),
        (np.nan, 1, 1, 1),
        (np.inf,) * 4,
    ],
)
def test_other_level_shares_are_refused(shares: tuple[float, ...]) -> None:
    with pytest.raises(RunError, match="level_shares: found") as error:
        DatasetSettings(level_shares=shares)
    assert "\n" not in str(error.value)


def test_rows_of_one_scene_are_cut_and_distorted_alike() -> None:
    twin = replace(ROW, parquet="other.parquet", row=7, label=0)
    alone = replace(twin, metadata={"vid_id": None, "frame_id": 7})
    assert alone.scene == "other.parquet 7"
    ours, twins, others = (draw_samples(row, 0, 8, 1) for row in (ROW, twin, alone))
    for first, second in zip(ours, twins, strict=True):
        assert first.variant == second.variant
        assert first.challenge.augmentation == second.challenge.augmentation
        assert first.challenge.challenge_id != second.challenge.challenge_id
    apart = [sample.challenge.augmentation for sample in others]
    assert apart != [sample.challenge.augmentation for sample in ours]


@settings(deadline=None, max_examples=50)
@given(
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.sampled_from(["crop", "letterbox"]),
    st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
)
def test_a_draw_is_of_seed_scene_and_number_alone(
    seed: int, number: int, era: Era, size: tuple[int, int]
) -> None:
    row, drawn_by = replace(ROW, size=size), DatasetSettings(era=era)
    sample = draw_challenge(row, 5, number, seed, drawn_by)
    assert (sample.row, sample.challenge.image_size) == (5, size)
    assert sample == replace(draw_challenge(row, 6, number, seed, drawn_by), row=5)
    for other in (
        draw_challenge(row, 5, number + 1, seed, drawn_by),
        draw_challenge(row, 5, number, seed + 1, drawn_by),
        draw_challenge(row, 5, number, seed, DatasetSettings(level_shares=(0.1, 0.3, 0.3, 0.3))),
    ):
        assert other.challenge.challenge_id != sample.challenge.challenge_id


def test_the_samples_of_a_row_are_its_challenges_by_number() -> None:
    samples = draw_samples(ROW, 2, 5, 1, LETTERBOX)
    assert samples == [draw_challenge(ROW, 2, number, 1, LETTERBOX) for number in range(5)]
    assert len({sample.challenge.challenge_id for sample in samples}) == 5


def test_letterboxes_are_rebuilt_whole_at_224_pixels(shards: Shards) -> None:
    """At level 0 as torchvision resizes and pads the cached image; black around it at every."""
    rebuilder, rows = Rebuilder(shards), list_rows(shards).rows
    assert {row.size for row in rows} == {(320, 240), (90, 150)}
    seen = set()
    for index, row in enumerate(rows):
        width, height = row.size
        scale = min(224 / width, 224 / height)
        size = [int(height * scale), int(width * scale)]
        top, left = ((224 - length) // 2 for length in size)
        for sample in draw_samples(row, index, 6, 2, LETTERBOX):
            pixels = rebuilder.rebuild(sample.challenge, sample.variant).pixels
            assert pixels.shape == (224, 224, 3)
            seen.add(level(sample))
            if level(sample) == 0:
                assert sample.variant.distortions == Distortions()
                image = cached_image(shards.read(row.parquet, row.row).image).convert("RGB")
                edges = [left, top, 224 - size[1] - left, 224 - size[0] - top]
                assert np.array_equal(pixels, F.pad(F.resize(image, size), edges))
    assert seen == {0, 1, 2, 3}
