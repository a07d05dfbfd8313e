"""Addresses beside vectors that Substrate and polkadot-js publish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.validators.ss58 import public_key
from tests.data.validators.hotkeys import ss58_address

ALICE = bytes.fromhex("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")
GENERIC = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"


@pytest.mark.parametrize(
    "address",
    [
        GENERIC,
        "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5",  # on Polkadot
        "HNZata7iMYWmk5RvZRTiAsSDhV8366zq2YGb3tLH5Upf74F",  # on Kusama
    ],
)
def test_the_public_key_of_alice_on_three_chains(address: str) -> None:
    assert public_key(address) == ALICE


@given(key=st.binary(min_size=32, max_size=32), prefix=st.sampled_from([0, 1, 2, 42, 63]))
def test_the_key_of_any_address(key: bytes, prefix: int) -> None:
    assert public_key(ss58_address(key, bytes([prefix]))) == key


@given(key=st.binary(min_size=32, max_size=32), second=st.integers(0, 255))
def test_the_key_of_an_address_with_a_prefix_of_two_bytes(key: bytes, second: int) -> None:
    assert public_key(ss58_address(key, bytes([0b0100_0001, second]))) == key


@given(place=st.integers(0, len(GENERIC) - 1), letter=st.sampled_from("123ABCxyz"))
def test_a_mistyped_letter_is_seen(place: int, letter: str) -> None:
    mistyped = GENERIC[:place] + letter + GENERIC[place + 1 :]
    if mistyped == GENERIC:
        return
    with pytest.raises(ValueError, match=r"bytes are|checksum|reserved"):
        public_key(mistyped)


@pytest.mark.parametrize("prefix", [46, 47])
def test_a_reserved_prefix_is_refused(prefix: int) -> None:
    with pytest.raises(ValueError, match="reserved"):
        public_key(ss58_address(ALICE, bytes([prefix])))


@pytest.mark.parametrize(
    "text", ["", "1", "0OIl", "5Fé", "5" * 49, "1" * 50, "z" * 10**6, GENERIC[:-1]]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"base58|bytes|checksum"):
        public_key(text)
