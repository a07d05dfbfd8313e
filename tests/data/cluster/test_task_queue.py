from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.cluster.task_queue import TaskQueue
from data.errors import RunError
from tests.data.cluster.numbered_tasks import Numbered, tasks


def test_a_dead_workers_tasks_go_first_and_in_order_to_others() -> None:
    queue: TaskQueue[str, Numbered] = TaskQueue(iter(tasks(4)))
    first, second = queue.take("a"), queue.take("a")
    assert queue.held("a") == 2
    queue.give_back_of_dead("a", "killed")
    assert queue.held("a") == 0
    assert [queue.take("b") for _ in range(2)] == [first, second]
    assert queue.take("b") == Numbered(2)


def test_a_task_that_kills_every_worker_ends_the_work() -> None:
    queue: TaskQueue[str, Numbered] = TaskQueue(iter(tasks(2)))
    for worker in "ab":
        queue.take(worker)
        queue.give_back_of_dead(worker, "out of memory")
    queue.take("c")
    with pytest.raises(RunError, match=r"part 0: found 3 workers that died at it, .*out of memory"):
        queue.give_back_of_dead("c", "out of memory")


def test_workers_that_only_work_no_more_are_no_deaths() -> None:
    queue: TaskQueue[str, Numbered] = TaskQueue(iter(tasks(1)))
    for _ in range(5):
        assert queue.take("a") == Numbered(0)
        queue.give_back("a")


def test_tasks_are_made_when_they_are_taken() -> None:
    made: list[int] = []

    def work() -> Iterator[Numbered]:
        for task in tasks(3):
            made.append(task.number)
            yield task

    queue: TaskQueue[str, Numbered] = TaskQueue(work())
    queue.take("a")
    assert made == [0]


@given(count=st.integers(0, 12), moves=st.lists(st.integers(0, 5), max_size=30))
def test_every_task_is_handed_in_once_whoever_dies(count: int, moves: list[int]) -> None:
    """Of three workers one hands in a task (moves 0 to 2), or one dies and another starts (3 to 5).

    As each death is charged to one task, no task survives more than two.
    """
    queue: TaskQueue[int, Numbered] = TaskQueue(iter(tasks(count)))
    workers: list[list[Numbered]] = [[], [], []]
    names, deaths = [0, 1, 2], 0
    handed_in: list[int] = []
    for move in [*moves, *[0, 1, 2] * (count + 1)]:
        for name, own in zip(names, workers, strict=True):
            while queue.held(name) < 2 and (task := queue.take(name)) is not None:
                own.append(task)
        place = move % 3
        if move < 3 and workers[place]:
            task = workers[place].pop()
            queue.hand_in(names[place], task)
            handed_in.append(task.number)
        elif move >= 3 and deaths < 2:
            deaths += 1
            queue.give_back_of_dead(names[place], "killed")
            names[place], workers[place] = max(names) + 1, []
    assert sorted(handed_in) == list(range(count))
