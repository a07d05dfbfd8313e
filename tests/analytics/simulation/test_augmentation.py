"""Crops and letterboxes of simulated records."""

import pytest

from tests.conftest import GOLDEN, golden_records
from tests.worlds.simulated_logs import small_log


@pytest.mark.parametrize("era", ["E7", "E8"])
def test_crops_are_squares_within_the_image(era: str) -> None:
    levels = [record["data_aug_level"] for record in small_log(era)]
    assert all(50 < levels.count(level) < 100 for level in range(4))
    for record in small_log(era):
        params = record["data_aug_params"]
        assert (params == {}) == (record["data_aug_level"] == 0)
        if params:
            top, left, height, width = params["RandomResizedCropWithParams"]["crop_params"]
            image_width, image_height = record["metadata"]["image_size"]
            assert min(top, left) >= 0
            assert top + height <= image_height
            assert left + width <= image_width
            assert height == width
            area = height * width / (image_width * image_height)
            assert 0.19 < area <= 1
            assert abs(params["RandomRotationWithParams"]["angle"]) <= 20


def test_letterboxes_are_those_of_logged_records() -> None:
    logged = {
        tuple(record["metadata"]["image_size"]): record["data_aug_params"]["ResizeWithPadding"]
        for record in golden_records(GOLDEN, "e9")
    }
    compared = 0
    for record in small_log("E9"):
        params = record["data_aug_params"]
        assert (len(params) == 1) == (record["data_aug_level"] == 0)
        expected = logged.get(tuple(record["metadata"]["image_size"]))
        if expected is not None:
            assert params["ResizeWithPadding"] == expected
            compared += 1
        height, width = params["ResizeWithPadding"]["new_size"]
        left, top, right, bottom = params["ResizeWithPadding"]["padding"]
        assert (left + width + right, top + height + bottom) == (224, 224)
    assert compared > 50
