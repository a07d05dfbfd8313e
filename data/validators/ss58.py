"""Read SS58 addresses, the form in which Substrate chains write a public key.

An address is base58 (Bitcoin's alphabet) of a prefix that names the chain (42: any; one or two
bytes), the key, and two bytes of a checksum. Definition: https://docs.polkadot.com, "SS58".
"""

from hashlib import blake2b

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_DIGITS = {character: value for value, character in enumerate(_ALPHABET)}
_KEY_BYTES, _CHECKSUM_BYTES = 32, 2
# 36 bytes are at most 50 digits; a longer text is refused before any arithmetic
_MOST_CHARACTERS = 50
_TWO_BYTE_PREFIX = 0b0100_0000
_RESERVED_PREFIXES = (46, 47)


def public_key(address: str) -> bytes:
    """The public key, 32 bytes, that an address stands for, on whatever chain.

    Raises:
        ValueError: it is no address of such a key, or a character of it is wrong.
    """
    raw = _base58(address)
    prefix_bytes = 2 if raw[:1] >= bytes([_TWO_BYTE_PREFIX]) else 1
    if len(raw) != prefix_bytes + _KEY_BYTES + _CHECKSUM_BYTES:
        raise ValueError(f"{len(raw)} bytes are no address of a key of {_KEY_BYTES}")
    if raw[0] >= 2 * _TWO_BYTE_PREFIX or raw[0] in _RESERVED_PREFIXES:
        raise ValueError(f"the prefix {raw[0]} is reserved")
    body, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if blake2b(b"SS58PRE" + body).digest()[:_CHECKSUM_BYTES] != checksum:
        raise ValueError("its checksum is wrong")
    return body[prefix_bytes:]


def _base58(text: str) -> bytes:
    """The bytes that base58 digits stand for; each leading 1 is a byte of 0."""
    if not 0 < len(text) <= _MOST_CHARACTERS or not set(text) <= _DIGITS.keys():
        raise ValueError("not the letters and digits of base58")
    number = 0
    for character in text:
        number = number * len(_ALPHABET) + _DIGITS[character]
    zeros = len(text) - len(text.lstrip(_ALPHABET[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")
