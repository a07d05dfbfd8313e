"""Which candidates can be named on the command line.

This package never imports `model`: `streetreplay.py` hands its loaders over here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from data.errors import RunError
from data.store import Store
from replay.candidates.predictor import Predictor

Loader = Callable[[], Predictor]

FORMS = "hf:NAME_OR_DIR[#LABEL] (a transformers image classifier) or module:attribute (Python)"
"""How candidates are named that nobody offered."""


@dataclass(frozen=True)
class LoadSettings:
    """`store` may keep what a candidate computes; `metadata` asks it to be fed metadata."""

    store: Store | None = None
    metadata: bool = False


@dataclass(frozen=True)
class Form:
    """A way of naming candidates: in words, which names are of it, and what loads them."""

    described: str
    matches: Callable[[str], bool]
    load: Callable[[str, LoadSettings], Predictor]


_loaders: dict[str, Loader] = {}
_forms: list[Form] = []


def offer(loaders: Mapping[str, Loader]) -> None:
    """Make candidates known by name; a loader imports what it needs only when called."""
    _loaders.update(loaders)


def offer_form(form: Form) -> None:
    """Make candidates known by a form of name; `matches` must import nothing large."""
    _forms.append(form)


def load(name: str, settings: LoadSettings = LoadSettings()) -> Predictor:
    """The candidate of that name: one that was offered, or of one of the FORMS.

    Raises:
        RunError: no candidate has that name, it cannot be loaded, or it takes no metadata and was
            to be fed some.
    """
    found = _load(name, settings)
    if settings.metadata and not found.wants_metadata:
        raise RunError(
            "--metadata",
            found=f"{found.name}, which looks at the image alone",
            expected="a checkpoint, or your own candidate that wants metadata",
            remedy="leave out --metadata",
        )
    return found


def _load(name: str, settings: LoadSettings) -> Predictor:
    if name in _loaders:
        return _loaders[name]()
    # Both import what they need, torch above all, only when such a candidate is named.
    if name.startswith("hf:"):
        from replay.candidates.huggingface import load_hugging_face  # noqa: PLC0415

        return load_hugging_face(name)
    form = next((form for form in _forms if form.matches(name)), None)
    if form is not None:
        return form.load(name, settings)
    if ":" in name:
        from replay.candidates.python_module import load_module_attribute  # noqa: PLC0415

        return load_module_attribute(name)
    known = ", ".join(sorted(_loaders))
    forms = ", ".join([*(form.described for form in _forms), FORMS])
    raise RunError("--model", found=repr(name), expected=f"one of: {known}; or {forms}")
