"""Compression that the standard library has no function for."""

import pyarrow as pa


def zstd_compress(content: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(content, asbytes=True)
    return packed
