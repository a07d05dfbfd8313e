"""Settings of a model: widths, layers, gates, pruning, dropout, precision; kept in its card.

Imports no torch, so that the command line need not.
"""

from dataclasses import dataclass
from typing import Literal

from data.errors import RunError
from data.settings import LARGEST_SEED, check_settings, setting

GateKind = Literal["elementwise", "headwise"]
"""Elementwise: a gate for every channel of every head; headwise: one gate for each head."""

Precision = Literal["fp32", "bf16"]
"""What products are computed in; see `precision.computing_in`."""

_MOST_LAYERS = 1000  # a card can ask for any number, and each is built before it is compared


@dataclass(frozen=True)
class ModelSettings:
    """Widths, layers, gates, dropout and precision; the defaults are the full model.

    Raises:
        RunError: values that do not go together.
    """

    features: int = setting(384, "Width of the backbone's features.", flag="", least=1)
    views: int = setting(12, "Views of an image.", flag="", least=1)
    width: int = setting(512, "Width of a view's token.", least=1)
    heads: int = setting(8, "Query heads of the attention.", least=1)
    kv_heads: int = setting(2, "Heads of keys and values; a divisor of --heads.", least=1)
    layers: int = setting(4, "Gated layers.", least=1, most=_MOST_LAYERS)
    gate: GateKind = setting("elementwise", "Kind of the attention's gates.")
    prune_after: int = setting(2, "The layer after which views are pruned.", least=1)
    keep_views: int = setting(8, "Views that go on after pruning; all: none is pruned.", least=1)
    dropout: float = setting(0.0, "Dropout in the head, a share.", least=0, below=1)
    drop_path: float = setting(
        0.1, "Share of layers' branches dropped (stochastic depth).", least=0, below=1
    )
    drop_view: float = setting(0.1, "Share of views hidden in training.", least=0, below=1)
    drop_metadata: float = setting(
        0.5, "Share of challenges that lose all metadata in training.", least=0, below=1
    )
    drop_field: float = setting(
        0.2, "Share of the others' metadata fields hidden in training.", least=0, below=1
    )
    scorer_width: int = setting(128, "Hidden width of the scorer before the backbone.", least=1)
    precision: Precision = setting(
        "fp32", "Precision of the model and its backbone, in training, validation and replay."
    )
    seed: int = setting(
        0, "Seed of the first weights.", flag="--model-seed", least=0, most=LARGEST_SEED
    )

    def __post_init__(self) -> None:
        check_settings(self, "model")
        if self.width % (4 * self.heads):
            _refuse("width", self.width, f"a multiple of 4 x {self.heads} heads")
        if self.heads % self.kv_heads:
            _refuse("kv_heads", self.kv_heads, f"a divisor of {self.heads} heads")
        if self.prune_after > self.layers:
            _refuse("prune_after", self.prune_after, f"one of {self.layers} layers")
        if self.keep_views > self.views:
            _refuse("keep_views", self.keep_views, f"at most {self.views} views")

    def drop_path_rates(self) -> list[float]:
        """The drop path rate of each layer, rising evenly from 0 to `drop_path`."""
        last = max(self.layers - 1, 1)
        return [self.drop_path * layer / last for layer in range(self.layers)]


def _refuse(name: str, value: object, expected: str) -> None:
    raise RunError(f"model setting {name}", found=repr(value), expected=expected)
