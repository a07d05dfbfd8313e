from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import RunError
from replay.answering.part_work import PartWork
from replay.cluster.part_queue import PartQueue


def parts(count: int) -> list[PartWork]:
    return [PartWork(index, []) for index in range(count)]


def test_a_dead_workers_parts_go_first_and_in_order_to_others() -> None:
    queue: PartQueue[str] = PartQueue(iter(parts(4)))
    first, second = queue.take("a"), queue.take("a")
    assert queue.held("a") == 2
    queue.give_back("a", "killed")
    assert queue.held("a") == 0
    assert [queue.take("b") for _ in range(2)] == [first, second]
    third = queue.take("b")
    assert third is not None
    assert third.index == 2


def test_a_part_that_kills_every_worker_ends_the_run() -> None:
    queue: PartQueue[str] = PartQueue(iter(parts(2)))
    for worker in "ab":
        queue.take(worker)
        queue.give_back(worker, "out of memory")
    queue.take("c")
    with pytest.raises(RunError, match=r"part 0: found 3 workers that died at it, .*out of memory"):
        queue.give_back("c", "out of memory")


def test_parts_are_made_when_they_are_taken() -> None:
    made: list[int] = []

    def work() -> Iterator[PartWork]:
        for part in parts(3):
            made.append(part.index)
            yield part

    queue: PartQueue[str] = PartQueue(work())
    queue.take("a")
    assert made == [0]


@given(count=st.integers(0, 12), moves=st.lists(st.integers(0, 5), max_size=30))
def test_every_part_is_handed_in_once_whoever_dies(count: int, moves: list[int]) -> None:
    """Of three workers one hands in a part (moves 0 to 2), or one dies and another starts (3 to 5).

    As each death is charged to one part, no part survives more than two.
    """
    queue: PartQueue[int] = PartQueue(iter(parts(count)))
    workers: list[list[PartWork]] = [[], [], []]
    names, deaths = [0, 1, 2], 0
    handed_in: list[int] = []
    for move in [*moves, *[0, 1, 2] * (count + 1)]:
        for name, own in zip(names, workers, strict=True):
            while queue.held(name) < 2 and (part := queue.take(name)) is not None:
                own.append(part)
        place = move % 3
        if move < 3 and workers[place]:
            part = workers[place].pop()
            queue.hand_in(names[place], part)
            handed_in.append(part.index)
        elif move >= 3 and deaths < 2:
            deaths += 1
            queue.give_back(names[place], "killed")
            names[place], workers[place] = max(names) + 1, []
    assert sorted(handed_in) == list(range(count))
