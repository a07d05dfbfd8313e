"""What W&B's client raises, as one line that says what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from data.errors import LogError
from data.text import printable

RESUME = "run the same again: it goes on where it stopped"
_LOG_IN = "run `wandb login`, or set WANDB_API_KEY (and WANDB_BASE_URL for a server of your own)"
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
    import wandb  # noqa: PLC0415

    words = printable(" ".join(str(error).split()), _SHOWN)
    status = http_status(error)
    if _NO_KEY in words:
        return LogError(what, found="no API key", expected="an account of W&B", remedy=_LOG_IN)
    if any(sign in words.lower() for sign in _UNREACHABLE):
        return LogError(what, found=f"no answer of the service ({words})", remedy=RESUME)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        found = "more requests than the service allows"
        return LogError(what, found=found, remedy=f"wait some minutes, then {RESUME}")
    if isinstance(error, wandb.errors.AuthenticationError) or status in _REFUSED:
        return LogError(what, found=f"the API key refused ({words})", remedy=_LOG_IN)
    if _NOT_FOUND in words:
        expected = "names as in the web address of the project, and an account that may see it"
        return LogError(what, found="nothing of that name", expected=expected)
    return LogError(what, found=words or type(error).__name__, remedy=RESUME)
