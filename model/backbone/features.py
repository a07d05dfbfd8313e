"""Features of images: from the cache, else by extracting views and running the backbone."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from data.errors import RunError
from model.backbone.backbone import Backbone
from model.backbone.batch_size import MemorySettings, batch_that_fits
from model.backbone.cache import FeatureCache, FeatureCacheSettings, Features
from model.backbone.compiled_blocks import compiles_blocks
from model.views.views import VIEWS, VIEWS_VERSION, ViewExtractor
from replay.candidates.float32 import processor_name
from replay.candidates.predictor import Image


class FeatureMaker:
    """Computes features (12, width) of each image; those that are cached need no image."""

    def __init__(
        self,
        backbone: Backbone,
        cache: FeatureCache | None = None,
        memory: MemorySettings = MemorySettings(),
    ) -> None:
        """Take a backbone, and a cache of its features (`open_cache`) or none."""
        self._backbone, self._cache, self._memory = backbone, cache, memory
        self._extractor = ViewExtractor(backbone.views)

    def features(self, images: Sequence[Image], keys: Sequence[str] | None = None) -> torch.Tensor:
        """Features of the 12 views of each image.

        Args:
            images: uint8, (H, W, 3) RGB each, of any sizes; may be built when indexed.
            keys: of each image in the cache, by all that determines it; None, or without a cache:
                every image is built.

        Returns:
            float32, (images, 12, width), on the CPU.

        Raises:
            RunError: an image of another form, or too little memory for one view.
        """
        width = self._backbone.width
        out = np.empty((len(images), VIEWS, width), np.float32)
        if keys is None or self._cache is None:
            for part in self._parts(range(len(images))):
                out[part] = self._compute([images[index] for index in part])
            return torch.from_numpy(out)
        known = self._cache.get_many(sorted(set(keys)))
        missing = {key: index for index, key in enumerate(keys) if key not in known}
        for part in self._parts(list(missing.values())):
            computed = self._compute([images[index] for index in part])
            fresh = {keys[index]: features for index, features in zip(part, computed, strict=True)}
            # stored part by part, so that an interrupted run keeps them
            self._cache.put_many(fresh)
            known |= fresh
        for index, key in enumerate(keys):
            out[index] = known[key]
        return torch.from_numpy(out)

    def _parts(self, indices: Sequence[int]) -> list[list[int]]:
        """Indices of images in parts whose views fit into memory."""
        if not indices:
            return []
        device = next(self._backbone.parameters()).device
        views = batch_that_fits(self._backbone.cost, device, self._memory)
        step = max(1, views // VIEWS)
        return [list(indices[start : start + step]) for start in range(0, len(indices), step)]

    def _compute(self, images: Sequence[Image]) -> Features:
        device = next(self._backbone.parameters()).device
        views = self._extractor.of_images_on(images, device)
        # (images, 12, 3, side, side) -> (images * 12, 3, side, side)
        features = self._backbone.features(views.flatten(0, 1), self._memory)
        array: Features = features.view(len(images), VIEWS, -1).cpu().numpy()
        return array


def open_cache(
    folder: Path,
    backbone: Backbone,
    on_note: Callable[[str], None] = lambda _: None,
    settings: FeatureCacheSettings = FeatureCacheSettings(),
) -> FeatureCache:
    """The cache of a frozen backbone's features, keyed by all that determines their bits.

    That is its weights, the views' geometry, torch's version and what computes: a GPU never serves
    what a processor has made, nor the other way round, nor compiled blocks what others have.

    Args:
        folder: of all backbones' caches.
        backbone: whose features.
        on_note: takes a line for a person when something damaged was dropped.
        settings: how large the folder may grow.

    Raises:
        RunError: the backbone is not frozen.
        StoreError: the folder cannot be made.
    """
    if not backbone.frozen:
        raise RunError(
            f"feature cache of {backbone.settings.name}",
            found="a backbone in training",
            expected="a frozen one, whose features stay the same",
        )
    device = next(backbone.parameters()).device
    compiled = compiles_blocks(backbone.precision, device)
    computed_by = [torch.__version__, device.type, processor_name(device), compiled]
    identity = json.dumps([VIEWS_VERSION, backbone.fingerprint, *computed_by])
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()
    return FeatureCache(folder, fingerprint, (VIEWS, backbone.width), on_note, settings)
