"""Where source images lie: a folder of this machine, or a URL that fsspec reads.

A URL names files of a server: `s3://BUCKET/PREFIX`, `gs://...`, `hf://datasets/OWNER/NAME`. Keys,
endpoints and regions are those of the protocol's package, by its own environment variables and
files (`AWS_PROFILE`, `AWS_ENDPOINT_URL`), or of fsspec's configuration: none is in the URL.
"""

import re
from pathlib import Path
from typing import BinaryIO

import fsspec
from fsspec.implementations.local import LocalFileSystem
from upath import UPath

from data.errors import SourceError
from data.sources.remote_file import RemoteFile, access_errors

SourcePath = Path | UPath
"""A file or folder of this machine (a `Path`), or of a server (a `UPath` that is none)."""

_URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_LOCAL = ("file", "local")


def source_folder(text: str) -> SourcePath:
    """The folder that a person names by its path or its URL; a `file://` URL is a path.

    Nothing is looked up on a server.

    Raises:
        SourceError: nothing here reads URLs of that protocol, or the URL holds a password.
    """
    url = _URL.match(text)
    if url is None:
        return Path(text)
    protocol = url[1].lower()
    if protocol in _LOCAL:
        return Path(LocalFileSystem._strip_protocol(protocol + text[len(protocol) :]))
    if _holds_password(protocol, text[url.end() :]):
        raise SourceError(
            f"sources {protocol}://",
            found="a password or signature in the URL, which others would see",
            expected="one where the protocol's package looks for it, such as its environment",
        )
    try:
        fsspec.get_filesystem_class(protocol)
        return UPath(text)
    except ImportError as error:
        raise SourceError(
            f"sources {text}",
            found=f"no package that reads {protocol}://",
            expected="one that is installed",
            remedy=str(error),
        ) from None
    except ValueError:
        raise SourceError(
            f"sources {text}",
            found=f"protocol {protocol}",
            expected="a folder, or a URL of a protocol that fsspec knows, such as s3://",
        ) from None


def _holds_password(protocol: str, place: str) -> bool:
    """True if what follows `://` holds a name and secret, or a token or signed query of HTTP.

    A secret may hold a slash, as keys of S3 do, so that no parser of URLs sees it.
    """
    if protocol == "github":  # github://OWNER:REPOSITORY@REVISION/
        return False
    before, at, _ = place.partition("@")
    if at and ":" in before:
        return True
    return protocol in ("http", "https") and (
        "@" in place.split("/", maxsplit=1)[0] or "?" in place
    )


def open_file(path: SourcePath) -> BinaryIO | RemoteFile:
    """Open a file for reading, to be closed by a `with`.

    Raises:
        OSError: a file of this machine cannot be opened.
        SourceError: a server has no such file.
        SourceAccessError: a server does not answer, or refuses.
    """
    return path.open("rb") if isinstance(path, Path) else RemoteFile(path)


def file_size(path: SourcePath) -> int:
    """The bytes of a file; 0 for what is no readable file of this machine, as a broken link.

    Raises:
        SourceError: a server has no such file.
        SourceAccessError: a server does not answer, or refuses.
    """
    if isinstance(path, Path):
        try:
            return path.stat().st_size
        except OSError:
            return 0
    with access_errors(path):
        return int(path.stat().st_size)


def name_below(folder: SourcePath, path: SourcePath) -> str:
    """The path of a file within a folder that holds it, with that system's separators."""
    if isinstance(folder, Path) and isinstance(path, Path):
        return str(path.relative_to(folder))
    # by text: of http:// URLs `relative_to` knows none that ends in a slash
    return str(path).removeprefix(str(folder)).lstrip("/")
