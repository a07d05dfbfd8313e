"""The model's parts with their shapes and numbers of parameters: what `describe` prints."""

from dataclasses import dataclass

import torch

from model.metadata.encoder import METADATA_WIDTH
from model.metadata.tags import table_rows
from model.network.settings import ModelSettings
from model.network.street_model import CLASSES, StreetModel


@dataclass(frozen=True)
class Part:
    """One part: shapes of its input and output (B challenges), and its number of parameters."""

    name: str
    input_shape: str
    output_shape: str
    parameters: int


def describe(settings: ModelSettings) -> list[Part]:
    """The model's parts in the order of the forward pass; together they hold all its parameters.

    Nothing is allocated. The backbone and the frozen text encoder are not included.
    """
    with torch.device("meta"):
        model = StreetModel(settings)
    views, width = settings.views, settings.width
    tokens, fused = f"(B, {views}, {width})", f"(B, {width})"
    features = f"(B, {views}, {settings.features})"
    kept = f"(B, {settings.keep_views}, {width})"
    pruned = settings.prune_after < settings.layers and model.pruning is not None
    layers = f"{settings.layers} gated layers ({settings.gate} gates)"
    rows: list[tuple[str, str, str, torch.nn.Module | torch.nn.Parameter | None]] = [
        ("view scorer", f"(B, {settings.features})", f"(B, {views - 1})", model.scorer),
        ("embedding", features, tokens, model.embedding),
        ("view positions", "", f"({views}, {width})", model.positions),
        ("width pyramid", tokens, tokens, model.pyramid),
        ("per-view head", tokens, f"(B, {views}, {CLASSES})", model.view_head),
        (layers, tokens, kept if pruned else tokens, model.layers),
        (f"token pruning after layer {settings.prune_after}", tokens, kept, model.pruning),
        ("GAFM fusion", kept, f"{fused}, gates (B, {views})", model.fusion),
        ("weather head", fused, f"(B, {table_rows('weather')})", model.weather_head),
        ("metadata encoder", "5 fields", f"(B, {METADATA_WIDTH})", model.metadata),
        ("metadata projection", f"(B, {METADATA_WIDTH})", fused, model.metadata_projection),
        ("head", f"(B, {2 * width})", f"(B, {CLASSES})", model.head),
    ]
    return [
        Part(name, input_shape, output_shape, _parameter_count(part))
        for name, input_shape, output_shape, part in rows
        if part is not None
    ]


def _parameter_count(part: torch.nn.Module | torch.nn.Parameter) -> int:
    if isinstance(part, torch.nn.Parameter):
        return part.numel()
    return sum(parameter.numel() for parameter in part.parameters())
