"""The champion's name on the command line, `champion` or `champion#keep=N`; imports no torch."""

from data.errors import RunError
from data.store import Store

NAME = "champion"
FORM = "champion[#keep=N] (the store's champion)"


def names_champion(name: str) -> bool:
    """True for `champion`, with or without an option; a folder of that name is `./champion`."""
    return name == NAME or name.startswith(f"{NAME}#")


def checkpoint_name(name: str, store: Store | None) -> str:
    """The champion as a checkpoint's name, with the same option.

    Raises:
        RunError: there is no champion, or its folder was removed or altered.
    """
    # the command line looks at names before it imports anything else
    from model.champion.champion import champion  # noqa: PLC0415

    present = None if store is None else champion(store)
    if present is None:
        raise RunError(
            f"--model {name}",
            found="no champion in this store",
            expected="one",
            remedy="name one: `streetreplay champion set FOLDER`",
        )
    return f"checkpoint:{present.folder}{name.removeprefix(NAME)}"
