"""All noise-free images of a level 3 challenge against the one of a level 1 challenge."""

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

    def level_3(base: Pixels) -> None:
        variant_builder = VariantBuilder(base, "0" * 16, 0)
        for variant in noise_free:
            variant_builder.build(variant)

    one, all_of_them, whole = [], [], []
    for logged in islice(crops(size, seed=3), REPEATS):
        base = augment(image, logged)
        one.append(milliseconds(partial(augment, image, logged)))
        all_of_them.append(milliseconds(partial(level_3, base)))
        whole.append(one[-1] + all_of_them[-1])
    level_1, distortions, both = (float(np.median(times)) for times in (one, all_of_them, whole))
    say(f"medians of {REPEATS}, one core, milliseconds a challenge, no JPEGs, no decoding")
    columns = ("level 1", "its 81 distortions", "level 3", "level 3 / level 1")
    print_table("level 3", columns, [(level_1, distortions, both, both / level_1)])
