"""Weights of a backbone as tensors, from safetensors only: nothing is ever unpickled.

timm itself falls back to `torch.load` where a repository holds no safetensors. So files are found
and read here, and timm gets tensors, never a name or a path.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError
from safetensors import SafetensorError
from safetensors.torch import load_file

from data.errors import RunError

Tensors = dict[str, torch.Tensor]

_SUFFIX = ".safetensors"
# The pickled file that timm would take, and what its safe twin is called.
_SAFE_NAMES = {
    None: ("model.safetensors",),
    "pytorch_model.bin": ("model.safetensors", "pytorch_model.safetensors"),
    "open_clip_pytorch_model.bin": ("open_clip_model.safetensors",),
}
_CLOSE_NAMES = 3


def check_name(name: str) -> None:
    """Make sure that timm knows an architecture of that name, with or without a tag.

    Raises:
        RunError: it does not, or not with that tag; or the name refers to another source, such
            as `hf-hub:...`.
    """
    architecture, _, tag = name.partition(".")
    known = timm.list_models() if not tag else timm.list_models(f"{architecture}*", pretrained=True)
    if name in known:
        return
    candidates = known or timm.list_models()
    close = difflib.get_close_matches(name, candidates, _CLOSE_NAMES)
    if tag and not close:
        close = known[:_CLOSE_NAMES]
    raise RunError(
        f"backbone {name}",
        found="no such model in timm",
        expected=f"one such as {', '.join(close)}" if close else "a name of timm.list_models()",
    )


def file_weights(path: Path) -> Tensors:
    """The tensors of a local file.

    Raises:
        RunError: it is not there, damaged, or not safetensors.
    """
    what = f"weights {path}"
    if path.suffix != _SUFFIX:
        raise RunError(
            what,
            found=f"a {path.suffix} file" if path.suffix else "no suffix",
            expected=f"{_SUFFIX} (pickled weights can run code, so they are never opened)",
            remedy="save its tensors with safetensors.torch.save_file where you trust it",
        )
    if not path.is_file():
        raise RunError(what, found="no such file", expected="hub, random or a file")
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise RunError(
            what, found=str(error), expected="a whole safetensors file", remedy="fetch it again"
        ) from None


def hub_weights(name: str) -> Path:
    """The safetensors file that timm names for a model, fetched or from the hub's cache.

    Raises:
        RunError: timm names none, the repository holds none, or it cannot be fetched.
    """
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    repository = None if config is None else config.hf_hub_id
    if config is None or not repository:
        raise RunError(
            f"weights of {name}",
            found="none on the hub that timm knows",
            expected="a model with weights",
            remedy=f"choose another, a local {_SUFFIX} file, or random weights",
        )
    repository, _, revision = repository.partition("@")
    for file in _safe_names(config.hf_hub_filename):
        try:
            return Path(hf_hub_download(repository, file, revision=revision or None))
        except LocalEntryNotFoundError:
            raise RunError(
                f"weights of {name}",
                found="no way to the hub, and nothing in its cache",
                expected=f"{file} of {repository}",
                remedy=f"connect, or name a local {_SUFFIX} file",
            ) from None
        except EntryNotFoundError:
            continue
        except Exception as error:
            lines = str(error).strip().splitlines()
            raise RunError(
                f"weights of {name}",
                found=f"{type(error).__name__}: {lines[0] if lines else ''}",
                expected=f"{file} of {repository}",
            ) from error
    raise RunError(
        f"weights of {name}",
        found=f"no {_SUFFIX} file in {repository}",
        expected="one (pickled weights can run code, so they are never opened)",
        remedy=f"choose another model, or a local {_SUFFIX} file",
    )


def _safe_names(named: str | None) -> tuple[str, ...]:
    if named is not None and named.endswith(_SUFFIX):
        return (named,)
    stem = "" if named is None else named.rpartition(".")[0]
    return _SAFE_NAMES.get(named, (f"{stem}{_SUFFIX}",))


def classifier_classes(name: str, tensors: Tensors) -> int:
    """The number of classes of the file's classifier; 0 if it has none."""
    config = timm.get_pretrained_cfg(name, allow_unregistered=True)
    layer = None if config is None else config.classifier
    if layer is not None and not isinstance(layer, str):
        layer = layer[0]
    weight = tensors.get(f"{layer}.weight")
    return 0 if weight is None else len(weight)


def mismatch(given: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor]) -> str:
    """In words, which tensors differ between weights and a model, by name and shape."""
    missing = sorted(wanted.keys() - given.keys())
    surplus = sorted(given.keys() - wanted.keys())
    shapes = [
        f"{key} {tuple(given[key].shape)} for {tuple(wanted[key].shape)}"
        for key in sorted(given.keys() & wanted.keys())
        if given[key].shape != wanted[key].shape
    ]
    parts = (("missing", missing), ("not the model's", surplus), ("of another shape", shapes))
    return "; ".join(f"{len(keys)} {words} ({_some(keys)})" for words, keys in parts if keys)


def check_fit(
    given: Mapping[str, torch.Tensor], wanted: Mapping[str, torch.Tensor], what: str
) -> None:
    """Make sure that tensors have the names, shapes and types of those that they are to replace.

    Args:
        given: the tensors.
        wanted: those that they are to replace; may be on the `meta` device.
        what: names the tensors in an error.

    Raises:
        RunError: which are missing, left over, or of another shape or type.
    """
    types = [
        f"{name} {tensor.dtype} for {wanted[name].dtype}"
        for name, tensor in sorted(given.items())
        if name in wanted and tensor.dtype != wanted[name].dtype
    ]
    words = mismatch(given, wanted) or (types and f"{len(types)} of another type ({_some(types)})")
    if words:
        raise RunError(
            what,
            found=f"{len(given)} tensors: {words}",
            expected=f"the {len(wanted)} of these settings",
        )


def _some(keys: list[str]) -> str:
    few = 3
    return ", ".join(keys[:few]) + (", ..." if len(keys) > few else "")
