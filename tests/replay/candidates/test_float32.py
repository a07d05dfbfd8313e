from collections.abc import Iterator
from contextlib import ExitStack
from threading import Thread

import pytest
import torch

from replay.candidates.float32 import exact_float32

Switches = tuple[str, bool, bool, bool]
EXACT: Switches = ("highest", False, True, False)


def switches() -> Switches:
    cudnn = torch.backends.cudnn
    precision = torch.get_float32_matmul_precision()
    return precision, cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark


@pytest.fixture
def lowered() -> Iterator[Switches]:
    """A process that trades precision for speed."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=True, deterministic=False, allow_tf32=True
        ):
            yield switches()
    finally:
        torch.set_float32_matmul_precision(before)


def test_it_is_exact_inside_and_as_before_after(lowered: Switches) -> None:
    assert lowered == ("high", True, False, True)
    with exact_float32():
        assert switches() == EXACT
        with exact_float32():
            assert switches() == EXACT
        assert switches() == EXACT
    assert switches() == lowered


def test_an_error_inside_leaves_nothing_switched(lowered: Switches) -> None:
    with pytest.raises(ValueError, match="inside"), exact_float32():
        raise ValueError("inside")
    assert switches() == lowered


def test_contexts_of_threads_may_overlap_in_any_order(lowered: Switches) -> None:
    """The first to open closes first: restored by it alone, the second would be in TF32."""
    first, second = ExitStack(), ExitStack()
    opening = Thread(target=first.enter_context, args=(exact_float32(),))
    opening.start()
    opening.join()
    second.enter_context(exact_float32())
    closing = Thread(target=first.close)
    closing.start()
    closing.join()
    assert switches() == EXACT
    second.close()
    assert switches() == lowered
