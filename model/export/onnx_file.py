"""A network as the bytes of one ONNX file, by torch's own exporter."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from data.errors import RunError

OPSET = 20
"""The version of ONNX's operators that is written unless a person asks for another."""

# protobuf's limit for one file
_MOST_BYTES = 2**31 - 1
_EXAMPLE = (224, 200, 3)
# Characters of what the exporter says: its own text fills screens.
_MOST_SHOWN = 200


def onnx_content(network: nn.Module, opset: int = OPSET) -> bytes:
    """The network as an ONNX file, the same bytes for the same network and versions.

    Its input is `pixels`, uint8 (height, width, 3), of any height and width; its outputs are
    `probability` and `gates`.

    Args:
        network: an `ExportedNetwork`.
        opset: version of ONNX's operators.

    Raises:
        RunError: the network is too large for one file, or cannot be written in that opset.
    """
    size = sum(weight.nbytes for weight in network.state_dict().values())
    if size > _MOST_BYTES:
        raise RunError(
            "network to export",
            found=f"{size / 2**30:.1f} GiB of weights",
            expected="less than 2 GiB, which is what one ONNX file holds",
            remedy="train on a smaller backbone",
        )
    with _one_line(opset):
        return _content(network, opset)


def _content(network: nn.Module, opset: int) -> bytes:
    # seconds to import, and only an export needs it
    import onnx  # noqa: PLC0415

    newest = onnx.defs.onnx_opset_version()
    if opset > newest:
        raise ValueError(f"onnx {onnx.__version__} knows opsets up to {newest}")
    program = torch.onnx.export(
        network,
        (torch.zeros(_EXAMPLE, dtype=torch.uint8),),
        input_names=["pixels"],
        output_names=["probability", "gates"],
        opset_version=opset,
        dynamo=True,
        dynamic_shapes={"pixels": {0: torch.export.Dim("height"), 1: torch.export.Dim("width")}},
        external_data=False,
        verbose=False,
    )
    assert program is not None  # noqa: S101  (None is what the older exporter returns)
    model = program.model_proto
    written = {entry.domain: entry.version for entry in model.opset_import}
    if written.get("") != opset:
        # torch keeps its own version where it cannot convert
        raise ValueError(f"opset {written.get('')} where {opset} was asked for")
    _forget_sources(model)
    onnx.checker.check_model(model, full_check=True)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _forget_sources(model: Any) -> None:
    """Remove what names files and lines of code here: it would differ on every machine."""
    del model.metadata_props[:]
    for graph in [model.graph, *model.functions]:
        del graph.metadata_props[:]
        for node in graph.node:
            del node.metadata_props[:]
            node.ClearField("doc_string")
        for value in [
            *graph.value_info,
            *getattr(graph, "input", []),
            *getattr(graph, "output", []),
        ]:
            if hasattr(value, "metadata_props"):
                del value.metadata_props[:]


@contextmanager
def _one_line(opset: int) -> Iterator[None]:
    """What the exporter raises as one line; what it warns of is about its own code."""
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    # torch, onnxscript and onnx each raise kinds of their own
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:_MOST_SHOWN]
        raise RunError(
            f"network in opset {opset} of ONNX",
            found=words,
            expected="an opset that torch can write",
            remedy=f"leave out --opset ({OPSET}), or train on another backbone",
        ) from error
