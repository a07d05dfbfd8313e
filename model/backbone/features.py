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
from model.backbone.cache import FeatureCache, FeatureCacheSettings
from model.backbone.compiled_blocks import compiles_blocks
from model.views.views import VIEWS, VIEWS_VERSION, ViewExtractor
from replay.candidates.device_copies import CopiesFromDevice, to_device
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
        self._unstored: list[tuple[list[str], CopiesFromDevice]] = []

    @property
    def _device(self) -> torch.device:
        return next(self._backbone.parameters()).device

    def features(self, images: Sequence[Image], keys: Sequence[str] | None = None) -> torch.Tensor:
        """Features of the 12 views of each image.

        Args:
            images: uint8, (H, W, 3) RGB each, of any sizes; may be built when indexed.
            keys: of each image in the cache, by all that determines it; None, or without a cache:
                every image is built.

        Returns:
            float32, (images, 12, width), on the backbone's device; a GPU may be computing them
            still, and what it computed last is not in the cache before `store_computed`.

        Raises:
            RunError: an image of another form, or too little memory for one view.
        """
        if keys is None or self._cache is None:
            parts = self._parts(range(len(images)))
            computed = [self._compute([images[index] for index in part]) for part in parts]
            return torch.cat(computed) if computed else self._none()
        known = self._cache.get_many(sorted(set(keys)))
        missing = {key: index for index, key in enumerate(keys) if key not in known}
        tensors = [self._none()]
        if known:
            tensors.append(
                to_device(torch.from_numpy(np.stack(list(known.values()))), self._device)
            )
        for part in self._parts(list(missing.values())):
            computed_part = self._compute([images[index] for index in part])
            tensors.append(computed_part)
            # stored part by part, so that an interrupted run keeps them
            copies = CopiesFromDevice([computed_part])
            self._unstored.append(([keys[index] for index in part], copies))
            self.store_computed(waiting=1)
        rows = {key: row for row, key in enumerate((*known, *missing))}
        order = to_device(
            torch.tensor([rows[key] for key in keys], dtype=torch.int64), self._device
        )
        return torch.cat(tensors)[order]

    def store_computed(self, waiting: int | None = None) -> None:
        """Put into the cache what the device has computed of what it was given.

        Args:
            waiting: how many parts may stay unstored; more are waited for. None: any number.
        """
        while self._cache is not None and self._unstored:
            keys, copies = self._unstored[0]
            if not copies.done() and (waiting is None or len(self._unstored) <= waiting):
                return
            del self._unstored[0]
            (features,) = copies.tensors()
            self._cache.put_many(dict(zip(keys, features.numpy(), strict=True)))

    def _none(self) -> torch.Tensor:
        return torch.empty((0, VIEWS, self._backbone.width), device=self._device)

    def _parts(self, indices: Sequence[int]) -> list[list[int]]:
        """Indices of images in parts whose views fit into memory."""
        if not indices:
            return []
        views = batch_that_fits(self._backbone.cost, self._device, self._memory)
        step = max(1, views // VIEWS)
        return [list(indices[start : start + step]) for start in range(0, len(indices), step)]

    def _compute(self, images: Sequence[Image]) -> torch.Tensor:
        views = self._extractor.of_images_on(images, self._device)
        # (images, 12, 3, side, side) -> (images * 12, 3, side, side)
        features = self._backbone.features(views.flatten(0, 1), self._memory)
        return features.view(len(images), VIEWS, -1)


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
