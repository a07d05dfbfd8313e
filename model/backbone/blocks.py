"""The blocks of a timm model, by timm's own grouping of its layers (`group_matcher`)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from timm.models._manipulate import group_with_matcher

from data.errors import RunError


@dataclass(frozen=True)
class Blocks:
    """Names of a model's tensors, as in its `state_dict`: those of each block, in their order.

    `tail` comes after the blocks, such as a norm; what comes before them, the stem, is left out.
    """

    blocks: tuple[frozenset[str], ...]
    tail: frozenset[str]

    def last(self, count: int) -> frozenset[str]:
        """The tensors of the last blocks and of all that comes after them."""
        return self.tail.union(*self.blocks[-count:])


def blocks_of(model: Any, name: str) -> Blocks:
    """The blocks of a timm model: transformer blocks, or the blocks of a convolutional one.

    Args:
        model: of timm; adapters in it belong to the block of their layer.
        name: names it in an error.

    Raises:
        RunError: timm groups its layers into no blocks.
    """
    groups = _groups(model) if hasattr(model, "group_matcher") else []
    if not groups:
        raise RunError(
            f"blocks of {name}",
            found="none that timm knows of",
            expected="a model of several blocks",
            remedy="train all of it, or none",
        )
    *blocks, tail = groups
    return Blocks(tuple(blocks), tail)


def _groups(model: Any) -> list[frozenset[str]]:
    """The names of each block's tensors, and last those of the tail; none without any blocks."""
    # No pattern matches the empty name, which so falls into the group of what is unmatched: the
    # tail. A final norm that timm counts to the last block is there.
    names = [*model.state_dict(), ""]
    pairs: Iterable[tuple[str, str]] = zip(names, names, strict=True)
    groups = group_with_matcher(iter(pairs), model.group_matcher(coarse=False))
    _stem, *others = (frozenset(groups[number]) - {""} for number in sorted(groups))
    return others if len(others) > 1 else []
