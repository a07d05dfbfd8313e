"""Features of a few views: the backbone runs on the global view, then on those a scorer chooses."""

from collections.abc import Sequence

import torch

from model.backbone.backbone import Backbone
from model.backbone.batch_size import MemorySettings, batch_that_fits
from model.backbone.cache import FeatureCache
from model.network.pruning import GLOBAL_VIEW
from model.network.view_scorer import ViewScorer
from model.views.views import VIEWS, ViewExtractor
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
            CPU.

        Raises:
            RunError: an image of another form, or too little memory for one view.
        """
        features = torch.empty(len(images), self._keep, self._backbone.width)
        views = torch.empty(len(images), self._keep, dtype=torch.int64)
        named = [] if keys is None or self._cache is None else list(keys)
        known = self._cache.get_many(sorted(set(named))) if self._cache and named else {}
        cached = [index for index, key in enumerate(named) if key in known]
        if cached:
            all_features = torch.stack(
                [torch.from_numpy(known[named[index]].copy()) for index in cached]
            )
            views[cached] = self._choose(all_features[:, GLOBAL_VIEW])
            features[cached] = _gather_views(all_features, views[cached])
        missing = sorted(set(range(len(images))) - set(cached))
        step = self._images_at_once() if missing else 1
        for start in range(0, len(missing), step):
            part = missing[start : start + step]
            features[part], views[part] = self._run([images[index] for index in part])
        return features, views

    def _images_at_once(self) -> int:
        views = batch_that_fits(self._backbone.cost, self._device, self._memory)
        return max(1, views // VIEWS)

    def _run(self, images: Sequence[Image]) -> tuple[torch.Tensor, torch.Tensor]:
        views_of_images = self._extractor.of_images_on(images, self._device)
        first = self._backbone.features(views_of_images[:, GLOBAL_VIEW], self._memory)
        views = self._choose(first)
        # (images, keep - 1, 3, side, side) -> (images * (keep - 1), 3, side, side)
        others = _gather_views(views_of_images, views[:, 1:].to(self._device)).flatten(0, 1)
        rest = self._backbone.features(others, self._memory)
        rest = rest.reshape(len(images), self._keep - 1, self._backbone.width)
        return torch.cat((first[:, None], rest), dim=1).cpu(), views

    def _choose(self, feature: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return self._scorer.choose(feature.to(self._device), self._keep).cpu()


def _gather_views(values: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
    """The rows of some views (B, K) among those of all (B, V, ...): (B, K, ...)."""
    return values[torch.arange(len(values), device=values.device)[:, None], views]
