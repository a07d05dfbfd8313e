"""Trainings that are told what memory a step needs.

Finding it takes longer than a test's whole training; `test_step_memory` and `test_batch_size` have
what it is worth, and trainings that are run as commands find it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from model.backbone.batch_size import ForwardCost

COST = ForwardCost(fixed=0, per_image=2**20)


@contextmanager
def costs_are_known() -> Iterator[None]:
    """Every forward and every step in this process needs a MiB for each image."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.backbone.backbone.forward_cost", lambda *_: COST)
        patch.setattr("model.optimization.step_memory.training_cost", lambda *_: COST)
        yield
