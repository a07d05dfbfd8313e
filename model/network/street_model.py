"""The whole model but the backbone: features of the views and metadata to logits and gates.

features (B, V, D) -> tokens -> pyramid -> gated layers, pruned on the way -> GAFM -> fused vector,
which is joined with the metadata vector only in the head. So gates, per-view logits and weather
logits depend on the image alone: weather is one of the metadata's fields, and could else be copied.
"""

from dataclasses import dataclass

import torch
from torch import nn

from data.errors import RunError
from model.metadata.encoder import METADATA_WIDTH, MetadataEncoder
from model.metadata.tags import table_rows
from model.metadata.tensors import MetadataTensors
from model.network.fusion import GatedFusion
from model.network.gated_attention import GatedLayer
from model.network.norms import layer_norm, rms_norm
from model.network.precision import computing_in
from model.network.pruning import GLOBAL_VIEW, KeptViews, TokenPruning
from model.network.pyramid import WidthPyramid
from model.network.settings import ModelSettings
from model.network.view_scorer import ViewScorer

CLASSES = 2
"""0 none, 1 roadwork."""


@dataclass(frozen=True)
class ModelOutput:
    """The model's outputs for B challenges in float32; V counts all views, those not given too.

    `logits` (B, 2), none and roadwork. `gates` float32 (B, V), 0..1, exactly 0 for a view that was
    masked, pruned or not given. `view_logits` (B, V, 2) of each view alone, before any attention
    between views; 0 where not seen. `weather_logits` (B, rows of the weather table). `scores`
    (B, V - 1) of the scorer for the views from 1 on. `seen` bool (B, V): the views that were given
    and not masked.
    """

    logits: torch.Tensor
    gates: torch.Tensor
    view_logits: torch.Tensor
    weather_logits: torch.Tensor
    scores: torch.Tensor
    seen: torch.Tensor


class StreetModel(nn.Module):
    """The model on a backbone's features; `settings.seed` alone determines its first weights.

    Tokens and layers are computed in `settings.precision`, whatever is around the call; gates,
    heads and the scorer always in float32, so that answers have their full resolution.

    Args:
        settings: widths, layers, gates, dropout and precision.
    """

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(settings.seed)
            self._build(settings)

    def _build(self, settings: ModelSettings) -> None:
        width = settings.width
        attention = (width, settings.heads, settings.kv_heads, settings.gate)
        self.embedding = nn.Sequential(
            layer_norm(settings.features), nn.Linear(settings.features, width)
        )
        self.positions = nn.Parameter(0.02 * torch.randn(settings.views, width))
        self.pyramid = WidthPyramid(width)
        self.view_head = nn.Sequential(rms_norm(width), nn.Linear(width, CLASSES))
        self.layers = nn.ModuleList(
            GatedLayer(*attention, rate) for rate in settings.drop_path_rates()
        )
        prunes = settings.keep_views < settings.views
        self.pruning = TokenPruning(width, settings.keep_views) if prunes else None
        self.fusion = GatedFusion(*attention)
        self.scorer = ViewScorer(settings.features, settings.views, settings.scorer_width)
        self.metadata = MetadataEncoder(settings.drop_metadata, settings.drop_field)
        self.metadata_projection = nn.Linear(METADATA_WIDTH, width)
        self.weather_head = nn.Sequential(rms_norm(width), nn.Linear(width, table_rows("weather")))
        self.head = nn.Sequential(
            layer_norm(2 * width),
            nn.Linear(2 * width, width),
            nn.GELU(),
            nn.Dropout(settings.dropout),
            nn.Linear(width, CLASSES),
        )

    def no_weight_decay(self) -> set[str]:
        """Names of weights that an optimiser lets be, as in models of timm: they are no matrices.

        Positions, and the rows of the metadata's tables, each of which a row of its own trains.
        """
        tables = {f"metadata.tables.{name}" for name in self.metadata.tables}
        return {"positions"} | tables

    def forward(
        self,
        features: torch.Tensor,
        metadata: MetadataTensors | None = None,
        *,
        views: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> ModelOutput:
        """The outputs for B challenges.

        Args:
            features: (B, K, D) of the backbone.
            metadata: of the same challenges; None is image-only, every field NULL.
            views: int64 (B, K), the number of the view of each feature, without repetition; None:
                all V in their order.
            mask: bool (B, K), False for a view that is to be treated as not given, whatever its
                feature holds (NaN too). Where all are masked the answer is the same for every
                image: the prior that the head has learned.

        Raises:
            RunError: the features have another shape than the settings say.
        """
        views = self._views(features, views)
        mask = self._dropped(views, mask) if self.training else mask
        if mask is not None:
            features = features.masked_fill(~mask[..., None], 0.0)
        with computing_in(self.settings.precision, features.device):
            tokens = self.pyramid(self.embedding(features) + self.positions[views])
            kept = self._through_layers(KeptViews(tokens, views, mask))
            fused, gates = self.fusion(kept.tokens, kept.mask, kept.weight)
        seen = torch.ones_like(views, dtype=torch.bool) if mask is None else mask
        # The heads, and metadata with its degrees, in any precision.
        with computing_in("fp32", features.device):
            metadata_vector = self.metadata_projection(self.metadata(metadata, len(features)))
            view_logits = self.view_head(tokens) * seen[..., None]
            return ModelOutput(
                logits=self.head(torch.cat((fused, metadata_vector), dim=1)),
                gates=self._scatter_to_views(gates, kept.views),
                view_logits=self._scatter_to_views(view_logits, views),
                weather_logits=self.weather_head(fused),
                scores=self.scorer(_global(features, views)),
                seen=self._scatter_to_views(seen, views),
            )

    def _views(self, features: torch.Tensor, views: torch.Tensor | None) -> torch.Tensor:
        settings = self.settings
        count = settings.views if views is None else views.shape[1]
        if features.ndim != 3 or features.shape[1:] != (count, settings.features):  # noqa: PLR2004
            raise RunError(
                "features of the views",
                found=f"shape {tuple(features.shape)}",
                expected=f"(B, {count}, {settings.features}), as the model was made for",
            )
        if views is None:
            return torch.arange(count, device=features.device).expand(len(features), -1)
        return views

    def _dropped(self, views: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor | None:
        """The mask with random views hidden, so that the model is also trained on few views."""
        if not self.settings.drop_view:
            # a mask of nothing would keep attention from its fastest kernel
            return mask
        kept = torch.rand(views.shape, device=views.device) >= self.settings.drop_view
        kept = kept | (views == GLOBAL_VIEW)
        return kept if mask is None else kept & mask

    def _through_layers(self, kept: KeptViews) -> KeptViews:
        for number, layer in enumerate(self.layers, start=1):
            allowed = None if kept.mask is None else kept.mask[:, None]
            tokens = layer(kept.tokens, allowed)
            kept = KeptViews(tokens, kept.views, kept.mask, kept.weight)
            if self.pruning is not None and number == self.settings.prune_after:
                kept = self.pruning(kept)
        return kept

    def _scatter_to_views(self, values: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
        """Values (B, K, ...) of some views as (B, V, ...) of all, zeros elsewhere."""
        trailing_axes = (1,) * (values.ndim - views.ndim)
        index = views.reshape(views.shape + trailing_axes).expand_as(values)
        empty = values.new_zeros(len(values), self.settings.views, *values.shape[2:])
        return empty.scatter(1, index, values)


def _global(features: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
    """The global view's feature (B, D)."""
    position = (views == GLOBAL_VIEW).int().argmax(dim=1)
    return features[torch.arange(len(features), device=features.device), position]
