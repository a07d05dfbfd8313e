"""What a step really takes of the processor's memory, by torch's own events."""

from collections.abc import Callable
from itertools import accumulate
from typing import Any

from torch.profiler import ProfilerActivity, profile


def allocated_peak(step: Callable[[int], None], challenges: int) -> int:
    """Most bytes held at once of all that the processor's allocator gave during a step."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled:
        step(challenges)
    profiler: Any = profiled.profiler
    results = profiler.kineto_results.events()
    memory = [event for event in results if event.name() == "[memory]"]
    changes: list[int] = [
        event.nbytes() for event in sorted(memory, key=lambda event: event.start_ns())
    ]
    return max(accumulate(changes, initial=0))
