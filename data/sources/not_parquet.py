"""Explain why a file is no parquet shard, and how to get the shard.

Large files are fetched by other means than small ones, so that often there is something else under
their name: a Git LFS pointer, the first part of a download, or a web page.
"""

import re

from data.errors import SourceError
from data.sources.source_path import SourcePath, open_file

_MAGIC = b"PAR1"
_START_BYTES = 1024
_FETCH = "fetch it again, whole (`streetreplay sources` prints the command)"

_LFS = b"version https://git-lfs.github.com/spec/"
_XET = b"# xet version"
_SIZE = re.compile(rb"^(?:size |filesize = )(\d{1,18})\s*$", re.MULTILINE)


def pointer(start: bytes) -> str | None:
    """What a Git LFS or Xet pointer file stands for, by its first bytes; None for another file."""
    kinds = {_LFS: "Git LFS", _XET: "Xet"}
    kind = next((kind for mark, kind in kinds.items() if mark in start[:64]), None)
    if kind is None:
        return None
    size = _SIZE.search(start)
    pointer_text = f"the {int(size[1])} bytes that it stands for" if size else "what it stands for"
    return f"a {kind} pointer file in place of {pointer_text}"


POINTER_REMEDY = (
    "fetch the file itself: `git lfs pull` in that clone, or `hf download` "
    "(`streetreplay sources` prints the command)"
)


def shard_error(path: SourcePath, error: Exception) -> SourceError:
    """The error of a file that pyarrow could not open as a shard, by what the file is.

    Raises:
        SourceError: a server has no such file any more.
        SourceAccessError: a server does not answer, or refuses.
    """
    words = " ".join(str(error).split()) or type(error).__name__
    problem, remedy = words, _FETCH
    try:
        with open_file(path) as stream:
            start = stream.read(_START_BYTES)
            size = stream.seek(0, 2)
            stream.seek(max(0, size - len(_MAGIC)))
            end = stream.read()
    except FileNotFoundError:
        problem = "a broken symbolic link" if path.is_symlink() else "no file"
    except OSError as failure:
        problem, remedy = str(failure.strerror), "make it readable"
    else:
        if (pointer_text := pointer(start)) is not None:
            problem, remedy = pointer_text, POINTER_REMEDY
        elif not size:
            problem = "an empty file"
        elif start.startswith(_MAGIC) and end != _MAGIC:
            problem = f"the beginning of one ({size} bytes), a download that was cut off"
        elif not start.startswith(_MAGIC):
            problem = f"a file that begins {start[:24]!r}"
    return SourceError(
        f"shard {path.name}", found=problem, expected="a parquet file", remedy=remedy
    )
