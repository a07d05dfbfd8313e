"""A candidate written in Python, `module:attribute`: for models that transformers does not load.

It is the user's own code, named by the user: it runs with all that the user may do.
"""

import importlib
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from data.errors import RunError, StreetReplayError
from replay.candidates.predictor import (
    Batch,
    Predictions,
    Predictor,
    known_keys,
    precision,
    training_rows,
)
from replay.candidates.python_module_sources import source_sha256

_T = TypeVar("_T")

_MEMBERS = {"name": str, "fingerprint": str, "wants_metadata": bool}
_EXPECTED = (
    "name and fingerprint (text), wants_metadata (a bool) and predict(batch), "
    "or a class or function without arguments that gives them"
)


@dataclass(frozen=True)
class ModulePredictor:
    """Predictor: a user's own; what it raises, or returns by mistake, becomes an error of one line.

    `fingerprint` is the candidate's own and the hash of its source: who edits a candidate seldom
    thinks of it.
    """

    candidate: Predictor
    where: str
    name: str
    fingerprint: str
    wants_metadata: bool
    training_rows: Path | None = None
    precision: str = "float32"
    known_keys: Callable[[Sequence[str]], Collection[str]] | None = None

    def predict(self, batch: Batch) -> Predictions:
        """What the candidate answers.

        Raises:
            RunError: it raised, or returned something else than `Predictions` of one column.
        """
        what = f"predict of {self.where}"
        predictions = _calling(lambda: self.candidate.predict(batch), what, "an answer")
        if not isinstance(predictions, Predictions):
            raise RunError(
                what,
                found=f"a {type(predictions).__name__}",
                expected="replay.candidates.predictor.Predictions",
            )
        shape = np.shape(predictions.probability)
        if shape != (len(batch.images),):
            raise RunError(
                f"probability of {what}", found=f"shape {shape}", expected=f"({len(batch.images)},)"
            )
        return predictions


def load_module_attribute(name: str) -> ModulePredictor:
    """Load the predictor that `module:attribute` is, or that calling it returns.

    The working folder is searched first, as `python -m` does. The attribute may be dotted.

    Raises:
        RunError: no such module or attribute, importing or calling it raised, or it is no
            `Predictor`.
    """
    module_name, _, attribute = name.partition(":")
    if not all(part.isidentifier() for part in (*module_name.split("."), *attribute.split("."))):
        raise RunError(
            "--model", found=repr(name), expected="module:attribute, such as mine:Candidate"
        )
    module = _imported(module_name, name)
    try:
        candidate = attrgetter(attribute)(module)
    except AttributeError:
        raise RunError(
            name,
            found=f"no {attribute!r} in {getattr(module, '__file__', None) or module_name}",
            expected="a predictor of that name",
        ) from None
    if isinstance(candidate, type) or (callable(candidate) and not hasattr(candidate, "predict")):
        candidate = _calling(candidate, f"{name}()", _EXPECTED)
    return _checked(candidate, name)


def _imported(module_name: str, name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    # A file written since the folder was last listed would not be found.
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module_name}.".startswith(f"{error.name}."):
            raise RunError(
                name,
                found=f"no module {error.name!r}",
                expected=f"one in {here} or installed",
                remedy="run from the folder that holds it, or set PYTHONPATH",
            ) from None
        raise _raised(error, f"importing {module_name}", "a module that can be imported") from error
    except (Exception, SystemExit) as error:
        raise _raised(error, f"importing {module_name}", "a module that can be imported") from error


def _checked(candidate: Any, name: str) -> ModulePredictor:
    what = f"{name}, a {type(candidate).__name__}"
    wrong = []
    values: dict[str, Any] = {}
    for member, kind in _MEMBERS.items():
        value = _calling(
            partial(getattr, candidate, member, None), f"{member} of {name}", "a value"
        )
        values[member] = value
        if not isinstance(value, kind) or value == "":
            wrong.append(
                f"{member} {value!r:.40}" if hasattr(candidate, member) else f"no {member}"
            )
    if not callable(getattr(candidate, "predict", None)):
        wrong.append("no predict method")
    if wrong:
        raise RunError(what, found=", ".join(wrong), expected=_EXPECTED)
    rows = _calling(partial(training_rows, candidate), f"training_rows of {name}", "a path or None")
    floats = _calling(partial(precision, candidate), f"precision of {name}", "text")
    values["fingerprint"] += f" source {source_sha256(name.partition(':')[0])}"
    return ModulePredictor(
        candidate=candidate,
        where=name,
        training_rows=rows,
        precision=floats,
        known_keys=_checked_known_keys(candidate, name),
        **values,
    )


def _checked_known_keys(
    candidate: Predictor, name: str
) -> Callable[[Sequence[str]], Collection[str]] | None:
    """Its `known_keys`, if it has that method, with errors of one line."""
    ask = known_keys(candidate)
    if ask is None:
        return None
    what = f"known_keys of {name}"
    return lambda image_keys: _calling(lambda: frozenset(ask(image_keys)), what, "some of the keys")


def _calling(call: Callable[[], _T], what: str, expected: str) -> _T:
    """The result of a user's code; what it raises becomes an error of one line, our own pass."""
    try:
        return call()
    except StreetReplayError:
        raise
    except (Exception, SystemExit) as error:
        raise _raised(error, what, expected) from error


def _raised(error: BaseException, what: str, expected: str) -> RunError:
    words = " ".join(str(error).split())[:200]
    return RunError(
        what,
        found=f"{type(error).__name__}: {words}",
        expected=expected,
        remedy="try streetreplay --debug for the trace",
    )
