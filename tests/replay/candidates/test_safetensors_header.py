"""Models that ask for more than their weights hold, before anything is allocated."""

from typing import Any

import pytest
import torch

from data.errors import RunError
from replay.candidates.safetensors_header import check_shapes, on_meta


def test_layers_without_end_stop_while_they_are_made() -> None:
    made: list[Any] = []
    with (
        pytest.raises(RunError, match="weights: found 3 tensors; expected more than 1006"),
        on_meta({str(k): (1,) for k in range(3)}, "weights"),
    ):
        made.extend(torch.nn.Linear(2**13, 2**13) for _ in range(10**6))
    assert 500 < len(made) < 510
    torch.nn.Linear(2, 2)  # nothing is counted any more


def test_far_fewer_numbers_than_asked_for_are_refused_whatever_their_names() -> None:
    with torch.device("meta"):
        model = torch.nn.Linear(2**13, 2**13)
    with pytest.raises(RunError, match=r"found 8,192 numbers; expected 67,117,056"):
        check_shapes(model, {"an.older.name": (2**13,)}, "weights")
    check_shapes(model, {"an.older.name": (2**13, 2**13)}, "weights")
