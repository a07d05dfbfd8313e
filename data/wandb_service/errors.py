"""What W&B's client raises, as one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from data.errors import LogError
from data.text import printable

RESUME = "run the same again: it goes on where it stopped"
_LOG_IN = "run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of your own)"
_NAMES = "names as in the web address of the project, and an account that may see it"
_SHOWN = 200
_REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_NO_KEY = "No API key"
_NOT_FOUND = "Could not find"
_UNREACHABLE = ("did not respond", "connection refused", "no such host", "timed out", "timeout")


@contextmanager
def in_one_line(what: object) -> Iterator[None]:
    """Raise what the client raises as a LogError about `what`, an address.

    Raises:
        LogError: no key, a key that is refused, nothing of that name, no answer, too many requests.
    """
    import wandb  # noqa: PLC0415  (takes a second, which only the service should cost)
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError  # noqa: PLC0415

    try:
        yield
    except (wandb.Error, WandbApiFailedError, ValueError, TimeoutError) as error:
        raise _log_error(str(what), error) from error


def http_status(error: BaseException | None) -> int | None:
    """The HTTP status with which the service answered, where an error of the client holds one."""
    while error is not None:
        response: Any = getattr(error, "response", None) or getattr(
            getattr(error, "exc", None), "response", None
        )
        if status := getattr(response, "http_status", None):
            return int(status)
        error = error.__cause__
    return None


def _log_error(what: str, error: Exception) -> LogError:
    words = printable(" ".join(str(error).split()), _SHOWN) or type(error).__name__
    found, expected, remedy = _told(words, http_status(error), error)
    return LogError(what, found=found, expected=expected, remedy=remedy)


def _told(words: str, status: int | None, error: Exception) -> tuple[str, str | None, str | None]:
    """What is told of an error: found, expected, remedy."""
    import wandb  # noqa: PLC0415

    found: tuple[str, str | None, str | None] = (words, None, RESUME)
    if _NO_KEY in words:
        found = ("no API key", "an account of W&B", _LOG_IN)
    elif any(sign in words.lower() for sign in _UNREACHABLE):
        found = (f"no answer of the service ({words})", None, RESUME)
    elif status == HTTPStatus.TOO_MANY_REQUESTS:
        found = ("more requests than the service allows", None, f"wait some minutes, then {RESUME}")
    elif status in _REFUSED:
        found = (f"the API key refused ({words})", None, _LOG_IN)
    elif isinstance(error, wandb.errors.AuthenticationError):
        found = (words, "an account of W&B", _LOG_IN)
    elif _NOT_FOUND in words:
        found = ("nothing of that name", _NAMES, None)
    return found
