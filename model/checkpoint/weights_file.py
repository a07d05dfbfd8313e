"""A file of weights (safetensors), written and read without a second copy of them in memory."""

import errno
import os
import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from data.errors import RunError

_SYSTEM_ERROR = re.compile(r"os error (\d+)")


def write_weights(tensors: Mapping[str, torch.Tensor], file: Path) -> None:
    """Write tensors bit by bit, straight from the memory that they are in.

    Tensors of a device, and those that are not contiguous, are copied first.

    Raises:
        OSError: the file cannot be written.
    """
    file.touch()
    mode = file.stat().st_mode
    stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(stored, file)
    except SafetensorError as error:
        number = _SYSTEM_ERROR.search(str(error))
        code = int(number[1]) if number else errno.EIO
        raise OSError(code, os.strerror(code)) from error
    file.chmod(mode)  # safetensors makes its files readable for their owner alone


def map_weights(file: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file, mapped from it: each takes memory when it is read or changed.

    A change stays in memory. The file may be replaced or deleted meanwhile, but not overwritten.

    Raises:
        RunError: it is no file of safetensors.
    """
    try:
        return load_file(file)
    except SafetensorError as error:
        raise RunError(str(file), found=error, expected="safetensors") from error
