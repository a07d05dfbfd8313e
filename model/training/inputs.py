"""What the model is trained on: samples with their images, or the features of a frozen backbone."""

from collections.abc import Sequence
from typing import Protocol

import torch

from model.backbone.backbone import Backbone
from model.metadata.tensors import MetadataTensors
from model.network.street_model import ModelOutput, StreetModel
from model.training.samples import Sample, decode_jpeg
from model.views.views import ViewExtractor


class TrainingInputs(Protocol):
    """Samples in order of their rows, and what the model sees of them."""

    @property
    def samples(self) -> Sequence[Sample]:
        """All that could be built."""

    def forward(
        self,
        model: StreetModel,
        places: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        """The model's answer to the samples at these places.

        Args:
            model: on its device.
            places: B of the samples.
            metadata: theirs, or None.
            views: int64 (B, K), which views it is shown of each; None: all.
        """


class ViewInputs:
    """Images, held as the JPEGs that were sent; the backbone learns, so nothing else can be."""

    def __init__(
        self, samples: Sequence[Sample], jpegs: Sequence[bytes], backbone: Backbone
    ) -> None:
        self.samples, self._jpegs, self._backbone = samples, jpegs, backbone
        self._extractor = ViewExtractor(backbone.views)

    def forward(
        self,
        model: StreetModel,
        places: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        """See `TrainingInputs.forward`; gradients reach the backbone."""
        device = next(self._backbone.parameters()).device
        images = [decode_jpeg(self._jpegs[place]) for place in places]
        shown = self._extractor.of_images_on(images, device)
        if views is not None:
            shown = shown[torch.arange(len(shown), device=device)[:, None], views]
        # (B, K, 3, side, side) -> (B * K, ...) and back
        features = self._backbone(shown.flatten(0, 1)).float().view(*shown.shape[:2], -1)
        output: ModelOutput = model(features, metadata, views=views)
        return output


class FeatureInputs:
    """Features of a frozen backbone, made once."""

    def __init__(self, samples: Sequence[Sample], features: torch.Tensor) -> None:
        self.samples, self._features = samples, features

    def forward(
        self,
        model: StreetModel,
        places: Sequence[int],
        metadata: MetadataTensors | None = None,
        views: torch.Tensor | None = None,
    ) -> ModelOutput:
        """See `TrainingInputs.forward`."""
        shown = self._features[torch.as_tensor(places)]
        if views is not None:
            shown = shown[torch.arange(len(shown))[:, None], views.cpu()]
        device = next(model.parameters()).device
        output: ModelOutput = model(shown.to(device), metadata, views=views)
        return output
