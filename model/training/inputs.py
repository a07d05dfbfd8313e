"""What the model is trained on: samples with their images, or a frozen backbone's features."""

from collections.abc import Sequence
from typing import Protocol

import torch

from model.backbone.backbone import Backbone
from model.datasets.challenge_draws import Sample, decode_jpeg
from model.metadata.tensors import MetadataTensors
from model.network.street_model import ModelOutput, StreetModel
from model.views.views import ViewExtractor


class TrainingInputs(Protocol):
    """Samples in the order of their rows, and the model's forward pass on them."""

    @property
    def samples(self) -> Sequence[Sample]:
        """All samples that have an image."""

    def forward(
        self,
        model: StreetModel,
        indices: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        """The model's output for the samples at these indices.

        Args:
            model: on its device.
            indices: of B samples.
            metadata: theirs, or None.
            views: int64 (B, K), which views the model gets of each; None: all.
        """


class ViewInputs:
    """Images as the JPEGs that were sent; a backbone in training needs them at every step."""

    def __init__(
        self, samples: Sequence[Sample], jpegs: Sequence[bytes], backbone: Backbone
    ) -> None:
        self.samples, self._jpegs, self._backbone = samples, jpegs, backbone
        self._extractor = ViewExtractor(backbone.views)

    def forward(
        self,
        model: StreetModel,
        indices: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        """See `TrainingInputs.forward`; gradients reach the backbone."""
        device = next(self._backbone.parameters()).device
        images = [decode_jpeg(self._jpegs[index]) for index in indices]
        pixels = self._extractor.of_images_on(images, device)
        if views is not None:
            pixels = pixels[torch.arange(len(pixels), device=device)[:, None], views]
        # (B, K, 3, side, side) -> (B * K, ...) and back
        features = self._backbone(pixels.flatten(0, 1)).float().view(*pixels.shape[:2], -1)
        output: ModelOutput = model(features, metadata, views=views)
        return output


class FeatureInputs:
    """Features of a frozen backbone, computed once; float32 (samples, 12, width)."""

    def __init__(self, samples: Sequence[Sample], features: torch.Tensor) -> None:
        self.samples, self.features = samples, features

    def forward(
        self,
        model: StreetModel,
        indices: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        """See `TrainingInputs.forward`."""
        features = self.features[torch.as_tensor(indices)]
        if views is not None:
            features = features[torch.arange(len(features))[:, None], views.cpu()]
        device = next(model.parameters()).device
        output: ModelOutput = model(features.to(device), metadata, views=views)
        return output
