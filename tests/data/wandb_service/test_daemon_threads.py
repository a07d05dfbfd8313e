import threading
import time
from collections.abc import Iterator

import pytest

from data.wandb_service.daemon_threads import each_in_threads


@pytest.mark.parametrize(("items", "threads", "waiting"), [(0, 3, 2), (1, 3, 0), (50, 4, 3)])
def test_each_item_once_a_few_at_a_time(items: int, threads: int, waiting: int) -> None:
    lock, running, most, done, taken = threading.Lock(), 0, 0, [], 0

    def work(item: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
            done.append(item)

    def numbers() -> Iterator[int]:
        nonlocal taken
        for taken in range(1, items + 1):
            assert taken - len(done) <= threads + waiting
            yield taken

    assert len(list(each_in_threads(work, numbers(), threads, waiting))) == items
    assert sorted(done) == list(range(1, items + 1))
    assert most <= threads


def test_an_error_ends_it_and_leaves_no_thread() -> None:
    before, done = threading.active_count(), []

    def work(item: int) -> None:
        if item == 10:
            raise OSError("full")
        done.append(item)

    with pytest.raises(OSError, match="full"):
        list(each_in_threads(work, iter(range(1000)), 3, 5))
    assert threading.active_count() == before
    assert len(done) < 30


def test_an_interrupt_waits_for_nothing() -> None:
    ends = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    def work(item: int) -> None:
        if item:
            ends.wait(300)

    with pytest.raises(KeyboardInterrupt):
        list(each_in_threads(work, items(), 2, 2))
    results = each_in_threads(work, iter(range(9)), 2, 2)
    next(results)
    results.close()
    assert not ends.is_set()
    ends.set()
