"""Whether a W&B run's id is signed by the hotkey that its config names.

The validator signs the id with its hotkey (sr25519) and puts the signature, in hex, into the
config. Anybody may log a run into a public project under anybody's name, but only the holder of the
hotkey can sign the id that W&B gave that run.

So a signature proves whose the run of this id is. It does not prove that numbers beside it are that
run's: id and signature are public, and who copies both into a folder can put any media and history
next to them. Numbers are the run's only as far as they come from the service itself.
"""

from enum import StrEnum

from data.validators.ss58 import public_key

_SIGNATURE_BYTES = 64


class SignatureState(StrEnum):
    """What a run's signature shows.

    PROVED: the hotkey signed the run's id. Of files that do not come from the service, not that
        their numbers are that run's.
    ABSENT: the config holds no signature, or names no hotkey that could have signed.
    FALSE: the signature is not that hotkey's of this run: another wrote it, or a key is mistyped.
    UNCHECKED: it does not fit, but the run's id is not known for sure; or this machine cannot tell,
        as `py-sr25519-bindings` is not installed for it.
    """

    PROVED = "proved"
    ABSENT = "absent"
    FALSE = "false"
    UNCHECKED = "unchecked"


def can_check_signatures() -> bool:
    """True if this machine has what checks a signature; without it, present ones are UNCHECKED."""
    try:
        import sr25519  # noqa: F401, PLC0415  (not built for every platform)
    except ImportError:
        return False
    return True


def signature_state(
    signature: object, hotkey: str | None, run_id: str, *, id_is_known: bool = True
) -> SignatureState:
    """What a run's signature shows of the hotkey that its config names.

    Args:
        signature: as the config holds it; None where it holds none.
        hotkey: the SS58 address that the config names.
        run_id: of the run, whose UTF-8 bytes are signed.
        id_is_known: false where the id was taken from the name of a folder, which may be any.
    """
    if signature in (None, "") or hotkey is None:
        return SignatureState.ABSENT
    if not can_check_signatures():
        return SignatureState.UNCHECKED
    import sr25519  # noqa: PLC0415

    try:
        key, signed = public_key(hotkey), _signature_bytes(signature)
        # wallets may sign a text between marks, so that it is never a transaction
        messages = (run_id.encode(), b"<Bytes>" + run_id.encode() + b"</Bytes>")
        if any(sr25519.verify(signed, message, key) for message in messages):
            return SignatureState.PROVED
    except ValueError:  # no address, no signature, or no point of the curve
        return SignatureState.FALSE
    return SignatureState.FALSE if id_is_known else SignatureState.UNCHECKED


def _signature_bytes(signature: object) -> bytes:
    """The 64 bytes of a signature in hex, with or without `0x`."""
    if not isinstance(signature, str) or len(signature) > 2 * _SIGNATURE_BYTES + 2:
        raise ValueError("no signature in hex")
    return bytes.fromhex(signature.removeprefix("0x"))
