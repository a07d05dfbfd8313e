"""Time of all noise-free images of a level 3 challenge, against one level 1 image."""

from functools import partial
from itertools import islice

import numpy as np
import torch

from data.terminal import print_table, say
from replay.augmentation.augment import Pixels, augment
from replay.rebuilding.variant_builder import VariantBuilder
from replay.rebuilding.variants import sampled_variants
from replay.settings import VariantSettings
from tests.bench.rebuild import crops, decode_jpeg, milliseconds, photograph

REPEATS = 9


def main() -> None:
    """Print milliseconds from the cached image to the pixels before the JPEG, one core."""
    torch.set_num_threads(1)
    size = (1920, 1080)
    image = decode_jpeg(photograph(size))
    noise_free = [d for d in sampled_variants(3, "0" * 16, VariantSettings(None)) if not d.noisy]

    def distort(base: Pixels) -> None:
        variant_builder = VariantBuilder(base, "0" * 16, 0)
        for variant in noise_free:
            variant_builder.build(variant)

    level_1_times, distortion_times, level_3_times = [], [], []
    for logged in islice(crops(size, seed=3), REPEATS):
        base = augment(image, logged)
        level_1_times.append(milliseconds(partial(augment, image, logged)))
        distortion_times.append(milliseconds(partial(distort, base)))
        level_3_times.append(level_1_times[-1] + distortion_times[-1])
    level_1, distortions, level_3 = (
        float(np.median(times)) for times in (level_1_times, distortion_times, level_3_times)
    )
    say(f"medians of {REPEATS}, one core, milliseconds a challenge, no JPEGs, no decoding")
    columns = ("level 1", "its 81 distortions", "level 3", "level 3 / level 1")
    print_table("level 3", columns, [(level_1, distortions, level_3, level_3 / level_1)])
