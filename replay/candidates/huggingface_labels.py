"""The classes of a Hugging Face image classifier: which means roadwork, and what its logits are.

One logit stands for the one class that it is named after, through a sigmoid.
"""

import re
from collections.abc import Sequence
from typing import Any

from data.errors import RunError

_LABELS_SHOWN = 4
_ROADWORK = r"(road ?(works?|construction)|(re)?construction|work ?zones?)"
_NO = r"(no|non|not|without|never|none)"
_NOTHING = r"(normal|clear|negative|background|nothing|other|empty|regular)"


def class_labels(config: Any, name: str) -> list[str]:
    """The names of the classes, by number.

    Args:
        config: of transformers, an image classifier's.
        name: the model, for errors.

    Raises:
        RunError: it is no classifier, or `id2label` does not name each class.
    """
    if config.problem_type == "regression":
        raise RunError(name, found="problem_type regression", expected="a classifier")
    if sorted(config.id2label) != list(range(config.num_labels)):
        raise RunError(
            f"id2label of {name}",
            found=f"classes {sorted(config.id2label)}",
            expected=f"0..{config.num_labels - 1}",
        )
    return [str(config.id2label[number]) for number in range(config.num_labels)]


def has_sigmoid(config: Any) -> bool:
    """Whether each logit becomes a probability by itself, through a sigmoid; else by a softmax.

    So it is with a single logit, of which a softmax would always be 1, and with multi-label models.
    """
    return bool(config.num_labels == 1) or config.problem_type == "multi_label_classification"


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
    """The meaning of a class by its name: roadwork, none or unknown."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", label).casefold()
    words = " ".join(re.findall(r"[a-z0-9]+", spaced))
    if re.search(rf"\b{_NO} ?{_ROADWORK}?\b", words):
        return "none"
    if re.search(rf"\b{_ROADWORK}\b", words):
        return "roadwork"
    return "none" if re.search(rf"\b{_NOTHING}\b", words) else "unknown"
