"""A GPU is given a whole batch before anything waits for it: tried on fake CUDA tensors."""

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from model.views.views import VIEWS, ViewExtractor, ViewSettings
from replay.candidates.device_copies import CopiesFromDevice

CUDA = torch.device("cuda:0")
SETTINGS = ViewSettings(32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
_WAIT_FOR_NUMBERS = ("aten::_local_scalar_dense", "aten::nonzero", "aten::equal")


class Waits(TorchDispatchMode):
    """Counts what makes the processor wait for a device: its numbers, and plain copies."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        name = func.name()
        there = options.get("device")
        if name == "aten::_to_copy" and there is not None:
            crosses = args[0].device.type != torch.device(there).type
            if crosses and not options.get("non_blocking"):
                self.names.append(f"{args[0].device} to {there}")
        elif name in _WAIT_FOR_NUMBERS:
            self.names.append(name)
        return func(*args, **options)


@dataclass
class Event:
    """Of a stream; `events` tells what was done with it."""

    events: list[str] = field(default_factory=list)

    def record(self) -> None:
        self.events.append("recorded")

    def query(self) -> bool:
        return "waited" in self.events

    def synchronize(self) -> None:
        self.events.append("waited")


@pytest.fixture
def event(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    made = Event()
    monkeypatch.setattr(torch.cuda, "Event", lambda: made)
    monkeypatch.setattr(torch.cuda, "device", lambda _: nullcontext())
    # fake ones cannot be pinned
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)
    with FakeTensorMode(allow_non_fake_inputs=True):
        yield made


def test_images_become_views_without_a_wait(event: Event) -> None:
    extractor = ViewExtractor(SETTINGS)
    same = [np.zeros((40, 50, 3), np.uint8)] * 3
    for images in (same, [*same, np.zeros((9, 30, 3), np.uint8)]):
        # the matrices of a size are copied once; fake ones are never kept
        with Waits() as waits:
            assert extractor.of_images_on(images, CUDA).shape == (len(images), VIEWS, 3, 32, 32)
        sizes = len({image.shape for image in images})
        assert waits.names == ["cpu to cuda:0"] * 14 * sizes
    assert event.events == []


def test_answers_are_waited_for_when_they_are_asked_for(event: Event) -> None:
    with Waits() as waits:
        copies = CopiesFromDevice([torch.empty(3, device=CUDA), torch.empty(2, 4, device=CUDA)])
    assert waits.names == []
    assert event.events == ["recorded"]
    assert not copies.done()
    assert [tuple(tensor.shape) for tensor in copies.tensors()] == [(3,), (2, 4)]
    assert {tensor.device.type for tensor in copies.tensors()} == {"cpu"}
    assert copies.done()


def test_on_a_processor_there_is_nothing_to_wait_for() -> None:
    copies = CopiesFromDevice([torch.ones(2)])
    assert copies.done()
    assert copies.tensors()[0].tolist() == [1, 1]


def test_matrices_of_a_size_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    extractor = ViewExtractor(SETTINGS)
    images = torch.zeros(2, 3, 40, 50, dtype=torch.uint8)
    with torch.inference_mode():
        first = extractor.by_matrices(images)
    monkeypatch.setattr("model.views.device_matrices.resize_weights", None)
    assert torch.equal(extractor.by_matrices(images), first)
