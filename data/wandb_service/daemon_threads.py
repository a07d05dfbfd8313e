"""Work done by a few threads that never keep the process from ending.

Those of `concurrent.futures` are waited for when the process ends: a transfer that hangs would hold
up Ctrl-C for as long as the other side likes.
"""

import threading
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")


def each_in_threads(
    work: Callable[[Item], None], items: Iterator[Item], threads: int, waiting: int
) -> Generator[None, None, None]:
    """Do the work for each item, in any order; yields once for each that is done.

    An error of one ends it: those that run are waited for, those that wait are dropped. With Ctrl-C
    nothing is waited for.

    Args:
        work: for one item; called in threads.
        items: taken as threads get free.
        threads: how many.
        waiting: items that are taken before a thread is free, at most.
    """
    todo: SimpleQueue[Item | None] = SimpleQueue()
    done: SimpleQueue[BaseException | None] = SimpleQueue()
    stopped = threading.Event()

    def take_items() -> None:
        while (item := todo.get()) is not None:
            if stopped.is_set():
                continue
            try:
                work(item)
            except BaseException as error:  # noqa: BLE001  (raised where the result is taken)
                done.put(error)
            else:
                done.put(None)

    workers = [threading.Thread(target=take_items, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    pending = 0
    interrupted = False
    try:
        for item in items:
            todo.put(item)
            pending += 1
            while pending >= threads + waiting:
                _raise_error_of(done.get())
                pending -= 1
                yield
        for _ in range(pending):
            _raise_error_of(done.get())
            yield
    except (KeyboardInterrupt, GeneratorExit):  # raised here, or where the results are taken
        interrupted = True
        raise
    finally:
        stopped.set()
        for _ in workers:
            todo.put(None)
        for worker in () if interrupted else workers:
            worker.join()


def _raise_error_of(error: BaseException | None) -> None:
    if error is not None:
        raise error
