"""Files of a Hugging Face model: its folder here or the hub's cached copy, weights and settings.

Only safetensors and JSON are ever fetched or read, never code.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import snapshot_download

from data.errors import RunError

PREFIX = "hf:"

CONFIG = "config.json"
PROCESSORS = ("preprocessor_config.json", "processor_config.json")

_WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_ADAPTER = "adapter_config.json"
_FETCHED = (CONFIG, *PROCESSORS, _WEIGHTS, _INDEX, "model-*.safetensors", _ADAPTER)

_HUB_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?", re.ASCII)


def folder_and_label(name: str) -> tuple[Path, str | None]:
    """The folder that `hf:NAME_OR_DIR[#LABEL]` names, and the label chosen, if any.

    It is the folder itself, which wins over a name on the hub, or the hub's cached copy of the few
    files that are needed.

    Raises:
        RunError: not found, or not to be fetched.
    """
    folder_or_name, label = _split(name.removeprefix(PREFIX))
    folder = Path(folder_or_name).expanduser()
    if folder_or_name and folder.is_dir():
        return folder, label
    if not _HUB_NAME.fullmatch(folder_or_name):
        raise RunError(name, found="no such folder", expected="a folder, or OWNER/NAME on the hub")
    with errors_as_one_line(
        name, "a folder here, or a model on the Hugging Face hub or in its cache"
    ):
        return Path(snapshot_download(folder_or_name, allow_patterns=list(_FETCHED))), label


def _split(text: str) -> tuple[str, str | None]:
    """A folder or name, and the label chosen, if any; a folder's name may hold a # itself."""
    if "#" not in text or Path(text).expanduser().is_dir():
        return text, None
    folder_or_name, _, label = text.rpartition("#")
    return folder_or_name, label


def weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files: one, or those that the index names.

    Raises:
        RunError: an adapter, no safetensors, or not every file that the index names.
    """
    if (folder / _ADAPTER).is_file():
        raise RunError(name, found="an adapter", expected="a whole model", remedy="merge it first")
    if (folder / _WEIGHTS).is_file():
        return [folder / _WEIGHTS]
    if not (folder / _INDEX).is_file():
        pickled = sorted(path.name for path in folder.glob("*.bin"))
        raise RunError(
            name,
            found=", ".join(pickled) or "no weights",
            expected=f"{_WEIGHTS} (pickled weights can run code, so they are never opened)",
            remedy="save the model again with save_pretrained",
        )
    with errors_as_one_line(f"{_INDEX} of {name}", "a weight_map of tensors to files"):
        index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
        # Only the last part of a name: an index may not point outside its folder.
        files = sorted({folder / Path(file).name for file in index["weight_map"].values()})
    missing = [file.name for file in files if not file.is_file()]
    if missing or not files:
        raise RunError(name, found=f"no {', '.join(missing) or 'weights'}", expected="every shard")
    return files


def file_hashes(folder: Path, weights: Sequence[Path]) -> dict[str, str]:
    """SHA-256 by name of all files that a model is made of."""
    settings = [folder / file for file in (CONFIG, *PROCESSORS) if (folder / file).is_file()]
    hashes = {}
    for file in [*settings, *weights]:
        with file.open("rb") as stream:
            hashes[file.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes


@contextmanager
def errors_as_one_line(what: str, expected: str) -> Iterator[None]:
    """What transformers raises is of any type, and often a page long: its first line is enough."""
    try:
        yield
    except RunError:
        raise
    except Exception as error:
        lines = str(error).strip().splitlines()
        problem = f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
        raise RunError(what, found=problem, expected=expected) from error
