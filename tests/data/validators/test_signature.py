"""Signatures of keys made here, and one that another program made and published."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.validators.signature import SignatureState, can_check_signatures, signature_state
from tests.data.validators.hotkeys import Hotkey

RUN = "ab12cd34"
HOTKEY = Hotkey("validator")
ABSENT, FALSE = SignatureState.ABSENT, SignatureState.FALSE
PROVED, UNCHECKED = SignatureState.PROVED, SignatureState.UNCHECKED


@pytest.mark.parametrize("prefix", ["", "0x"])
@pytest.mark.parametrize("known", [True, False])
def test_the_hotkeys_signature_of_the_runs_id_is_proof(prefix: str, known: bool) -> None:
    signed = prefix + HOTKEY.signature(RUN)
    assert signature_state(signed, HOTKEY.address, RUN, id_is_known=known) is PROVED


def test_a_wallet_may_put_marks_around_what_it_signs() -> None:
    signed = HOTKEY.signature(f"<Bytes>{RUN}</Bytes>")
    assert signature_state(signed, HOTKEY.address, RUN) is PROVED


def test_a_signature_that_substrates_own_tool_made() -> None:
    """Published in the tests of logion-backend-ts, for `signatureVerify` of polkadot-js."""
    signed = (
        "0x22f91b41ba12f8663ddce26bfc90dbfe6a51683fd3782ad679ab2a5fdbe7d44c"
        "2a119f22c74eea22555e5483eb7f42b828f189a38379d59c3b607d2461f0858e"
    )
    address = "5Gv8YYFu8H1btvmrJy9FjjAWfb99wrhV3uhPFoNEr918utyR"
    assert signature_state(signed, address, "test message\n") is PROVED
    assert signature_state(signed, address, "another message\n") is FALSE


def test_another_runs_signature_and_another_hotkeys_are_false() -> None:
    another = Hotkey("impostor")
    assert signature_state(HOTKEY.signature("other-run"), HOTKEY.address, RUN) is FALSE
    assert signature_state(another.signature(RUN), HOTKEY.address, RUN) is FALSE
    assert signature_state(HOTKEY.signature(RUN), another.address, RUN) is FALSE


def test_of_a_run_whose_id_is_a_guess_nothing_is_said_to_be_false() -> None:
    signed = HOTKEY.signature(RUN)
    state = signature_state(signed, HOTKEY.address, "my-download", id_is_known=False)
    assert state is UNCHECKED
    # no run's id makes this one right
    assert signature_state("00" * 64, HOTKEY.address, "a", id_is_known=False) is FALSE


@pytest.mark.parametrize("signature", [None, ""])
def test_no_signature_is_absent(signature: str | None) -> None:
    assert signature_state(signature, HOTKEY.address, RUN) is ABSENT


def test_a_signature_without_a_hotkey_proves_nothing() -> None:
    assert signature_state(HOTKEY.signature(RUN), None, RUN) is ABSENT


def test_a_hotkey_that_is_no_address_signed_nothing() -> None:
    assert signature_state(HOTKEY.signature(RUN), "5FvalidatorHotkey", RUN) is FALSE


@given(
    st.recursive(
        st.booleans() | st.integers(1) | st.floats() | st.text("0123456789abcdefx", min_size=1),
        st.lists,
    )
)
def test_nothing_else_is_proof(signature: object) -> None:
    assert signature_state(signature, HOTKEY.address, RUN) is FALSE


@given(st.binary(min_size=64, max_size=64))
def test_no_other_64_bytes_are_proof(signature: bytes) -> None:
    assert signature_state(signature.hex(), HOTKEY.address, RUN) is FALSE


def test_without_the_library_nothing_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_check_signatures()
    monkeypatch.setitem(sys.modules, "sr25519", None)
    assert not can_check_signatures()
    assert signature_state(HOTKEY.signature(RUN), HOTKEY.address, RUN) is UNCHECKED
    assert signature_state(None, HOTKEY.address, RUN) is ABSENT
