"""Sizes of a benchmark, from the options of its command line."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

Sizes = TypeVar("Sizes")


def sizes_from(kind: type[Sizes], arguments: Sequence[str]) -> Sizes:
    """A frozen dataclass of sizes, each field an option: `batch_size` is `--batch-size`."""
    parser = argparse.ArgumentParser(
        description=kind.__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    for field in fields(kind):  # type: ignore[arg-type]
        default: Any = field.default
        flag = "--" + field.name.replace("_", "-")
        if isinstance(default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=default)
        else:
            parser.add_argument(flag, type=type(default), default=default)
    return kind(**vars(parser.parse_args(arguments)))
