"""Ends a training between two steps when the system or a person asks for it."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from accelerate import Accelerator

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_asked(accelerator: Accelerator) -> Iterator[Callable[[], bool]]:
    """While the block lasts, SIGTERM and Ctrl-C are noted; yields a function that says whether.

    In several processes all agree, whichever was told. A second signal ends the process at once.
    """
    asked = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def note(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    def stop() -> bool:
        if accelerator.num_processes == 1:
            return asked.is_set()
        if asked.is_set():
            accelerator.set_trigger()
        return bool(accelerator.check_trigger())

    # signals can be taken in the main thread only
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, note) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
