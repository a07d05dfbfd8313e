"""Features of a few views: the backbone runs on the global view, then on those a scorer chooses."""

from collections.abc import Sequence

import numpy as np
import torch

from model.backbone.backbone import Backbone
from model.backbone.batch_size import MemorySettings, batch_that_fits
from model.backbone.cache import FeatureCache
from model.network.pruning import GLOBAL_VIEW
from model.network.view_scorer import ViewScorer
from model.views.views import VIEWS, ViewExtractor
from replay.candidates.device_copies import to_device
from replay.candidates.predictor import Image


class ChosenFeatures:
    """Computes the features of the views that a scorer chooses, and of no others."""

    def __init__(
        self,
        backbone: Backbone,
        scorer: ViewScorer,
        keep: int,
        cache: FeatureCache | None = None,
        memory: MemorySettings = MemorySettings(),
    ) -> None:
        """Take the backbone, its scorer and the cache of its features.

        Args:
            backbone: of the features.
            scorer: on the same device.
            keep: how many views with the global one, 1 to 12.
            cache: features of all views (`open_cache`), read but never added to: here only some
                views are computed.
            memory: how much of it may be used.
        """
        self._backbone, self._scorer, self._keep = backbone, scorer, keep
        self._cache, self._memory = cache, memory
        self._extractor = ViewExtractor(backbone.views)
        self._device = next(backbone.parameters()).device

    def features(
        self, images: Sequence[Image], keys: Sequence[str] | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Features of the chosen views, and which views they are.

        Args:
            images: as in `FeatureMaker.features`.
            keys: likewise.

        Returns:
            float32 (images, keep, width) and int64 (images, keep), the global view first, on the
            backbone's device; a GPU may be computing them still.

        Raises:
            RunError: an image of another form, or too little memory for one view.
        """
        named = [] if keys is None or self._cache is None else list(keys)
        known = self._cache.get_many(sorted(set(named))) if self._cache and named else {}
        cached = [index for index, key in enumerate(named) if key in known]
        missing = sorted(set(range(len(images))) - set(cached))
        parts = [self._none()]
        if cached:
            # copies: what the cache gives is read-only
            of_all_views = np.stack([known[named[index]] for index in cached])
            parts.append(self._chosen(to_device(torch.from_numpy(of_all_views), self._device)))
        step = self._images_at_once() if missing else 1
        for start in range(0, len(missing), step):
            parts.append(self._run([images[index] for index in missing[start : start + step]]))
        features, views = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        computed = [*cached, *missing]
        if computed == sorted(computed):
            return features, views
        order = to_device(torch.tensor(computed).argsort(), self._device)
        return features[order], views[order]

    def _none(self) -> tuple[torch.Tensor, torch.Tensor]:
        shape = (0, self._keep)
        views = torch.empty(shape, dtype=torch.int64, device=self._device)
        return torch.empty((*shape, self._backbone.width), device=self._device), views

    def _chosen(self, of_all_views: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        views = self._choose(of_all_views[:, GLOBAL_VIEW])
        return _gather_views(of_all_views, views), views

    def _images_at_once(self) -> int:
        views = batch_that_fits(self._backbone.cost, self._device, self._memory)
        return max(1, views // VIEWS)

    def _run(self, images: Sequence[Image]) -> tuple[torch.Tensor, torch.Tensor]:
        views_of_images = self._extractor.of_images_on(images, self._device)
        first = self._backbone.features(views_of_images[:, GLOBAL_VIEW], self._memory)
        views = self._choose(first)
        # (images, keep - 1, 3, side, side) -> (images * (keep - 1), 3, side, side)
        others = _gather_views(views_of_images, views[:, 1:]).flatten(0, 1)
        rest = self._backbone.features(others, self._memory)
        rest = rest.reshape(len(images), self._keep - 1, self._backbone.width)
        return torch.cat((first[:, None], rest), dim=1), views

    def _choose(self, feature: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return self._scorer.choose(feature, self._keep)


def _gather_views(values: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
    """The rows of some views (B, K) among those of all (B, V, ...): (B, K, ...)."""
    return values[torch.arange(len(values), device=values.device)[:, None], views]
