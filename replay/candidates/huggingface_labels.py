"""Which class of a stranger's image classifier means roadwork: told by its names, or refused."""

import re
from collections.abc import Sequence

from data.errors import RunError

_LABELS_SHOWN = 4
_ROADWORK = r"(road ?(works?|construction)|(re)?construction|work ?zones?)"
_NO = r"(no|non|not|without|never|none)"
_NOTHING = r"(normal|clear|negative|background|nothing|other|empty|regular)"


def roadwork_class(labels: Sequence[str], chosen: str | None, name: str) -> int:
    """The number of the class that means roadwork.

    Without a choice the names must leave no doubt: two classes, one of them roadwork (construction,
    work zone) and the other its absence; or one class (a single logit) that is roadwork.

    Args:
        labels: the classes' names by number.
        chosen: a name (in any case) or a number, or None; a name wins over a number.
        name: the model, for errors.

    Raises:
        RunError: the names leave a doubt, or the choice fits none or several of them.
    """
    if chosen is None:
        meanings = [_meaning(label) for label in labels]
        if sorted(meanings) in (["none", "roadwork"], ["roadwork"]):
            return meanings.index("roadwork")
    else:
        fitting = [k for k, label in enumerate(labels) if label.casefold() == chosen.casefold()]
        if not fitting and chosen.isdecimal() and int(chosen) < len(labels):
            return int(chosen)
        if len(fitting) == 1:
            return fitting[0]
    shown = ", ".join(f"{k} = {label!r}" for k, label in enumerate(labels[:_LABELS_SHOWN]))
    more = f" and {len(labels) - _LABELS_SHOWN} more" if len(labels) > _LABELS_SHOWN else ""
    raise RunError(
        f"classes of {name}",
        found=shown + more,
        expected="roadwork and none" if chosen is None else f"one named {chosen!r}",
        remedy="say which class means roadwork: hf:NAME_OR_DIR#LABEL or #NUMBER",
    )


def _meaning(label: str) -> str:
    """What a class is by its name: roadwork, none or unknown."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).casefold()
    words = " ".join(re.findall(r"[a-z0-9]+", parted))
    if re.search(rf"\b{_NO} ?{_ROADWORK}?\b", words):
        return "none"
    if re.search(rf"\b{_ROADWORK}\b", words):
        return "roadwork"
    return "none" if re.search(rf"\b{_NOTHING}\b", words) else "unknown"
