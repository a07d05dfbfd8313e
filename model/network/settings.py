"""Settings of a model: widths, layers, kind of gates, pruning, dropout; kept in its checkpoint."""

from dataclasses import dataclass, fields
from typing import get_args

from data.errors import RunError
from model.network.gated_attention import GateKind

# A card can ask for any number, and each layer is built before it is compared with the weights.
_MOST_LAYERS = 1000


@dataclass(frozen=True)
class ModelSettings:
    """Widths, layers, gates and dropout; the defaults are the full model.

    `features` is the width of the backbone's features. `gate` is the kind of the attention's gates:
    elementwise by default, or headwise. `keep_views` views go on after layer `prune_after`; with as
    many as there are none is pruned. `drop_path`, `drop_view`, `drop_metadata`
    and `drop_field` are shares, 0..1, dropped in training: of layers' branches (stochastic depth,
    rising to it with the layers), of views other than the global one, of challenges that lose all
    metadata, and of single fields of the other challenges. `scorer_width` is the hidden width of
    the scorer before the backbone; `seed` initialises the weights.

    Raises:
        RunError: values that do not go together.
    """

    features: int = 384
    views: int = 12
    width: int = 512
    heads: int = 8
    kv_heads: int = 2
    layers: int = 4
    gate: GateKind = "elementwise"
    prune_after: int = 2
    keep_views: int = 8
    drop_path: float = 0.1
    drop_view: float = 0.1
    drop_metadata: float = 0.5
    drop_field: float = 0.2
    scorer_width: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = 0 if field.name == "seed" else 1
            if field.type is int and (not isinstance(value, int) or value < least):
                _refuse(field.name, value, "a whole number of at least 1 (the seed: 0)")
            if field.type is float and not (isinstance(value, int | float) and 0 <= value < 1):
                _refuse(field.name, value, "a share from 0 to below 1")
        if self.layers > _MOST_LAYERS:
            _refuse("layers", self.layers, f"at most {_MOST_LAYERS}")
        if self.gate not in get_args(GateKind):
            _refuse("gate", self.gate, " or ".join(get_args(GateKind)))
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
