"""Hotkeys made for tests: sr25519 key pairs, their addresses, and configs that they signed."""

from hashlib import blake2b, sha256
from typing import Any

import sr25519

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Hotkey:
    """A key pair; the same name gives the same one."""

    def __init__(self, name: str) -> None:
        self._pair = sr25519.pair_from_seed(sha256(name.encode()).digest())
        self.address = ss58_address(self._pair[0])

    def signature(self, message: str) -> str:
        """A signature in hex, as bittensor's wallet gives it; each time another."""
        signed: bytes = sr25519.sign(self._pair, message.encode())
        return signed.hex()

    def config(self, run_id: str, **settings: Any) -> dict[str, Any]:
        """A run's config, in which this hotkey signs the run's id."""
        return {"hotkey": self.address, "signature": self.signature(run_id), **settings}


def ss58_address(key: bytes, prefix: bytes = b"\x2a") -> str:
    """The SS58 address of a public key; the prefix names the chain, 42 is any."""
    body = prefix + key
    raw = body + blake2b(b"SS58PRE" + body).digest()[:2]
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = _ALPHABET[digit] + digits
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + digits
