"""Images of an image classifier, prepared one by one, as passes of a fixed size through the model.

The last bits of an answer depend on the shape of the pass. So each pass is full: one that lacks
images repeats its last one, whose further answers nobody reads. Then an image's answer does not
depend on how a replay was cut into parts, nor on what an interrupted one had left to do; as seen
with ViT, ResNet, ConvNeXt and Swin on a CPU to the last bit, though no library promises that an
image's place in a pass never shows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from replay.candidates.device_copies import to_device

Prepared = Mapping[str, torch.Tensor]
"""What an image processor makes of one image: (1, ...) each, such as `pixel_values`."""


@dataclass(frozen=True)
class Pass:
    """One call of the model: tensors (size, ...) by name, and the image that each row is of.

    Rows past those of `places`, which count the images from 0, are padding.
    """

    places: Sequence[int]
    tensors: Prepared

    def to(self, device: torch.device) -> Prepared:
        """The tensors on a device; a GPU copies them while this process goes on."""
        return {name: to_device(tensor, device) for name, tensor in self.tensors.items()}


def passes(images: Iterable[Prepared], size: int) -> Iterator[Pass]:
    """Passes of `size` images, each of images of one shape, in the order in which they fill up.

    Images of a shape that few others have make a pass of their own, which costs as much as a whole
    one: only an image processor that does not resize prepares several shapes.
    """
    waiting: dict[tuple[object, ...], list[tuple[int, Prepared]]] = {}
    for place, prepared in enumerate(images):
        shape = tuple((name, tensor.shape) for name, tensor in prepared.items())
        group = waiting.setdefault(shape, [])
        group.append((place, prepared))
        if len(group) == size:
            yield _pass(waiting.pop(shape), size)
    for group in waiting.values():
        yield _pass(group, size)


def _pass(group: Sequence[tuple[int, Prepared]], size: int) -> Pass:
    places, rows = [place for place, _ in group], [prepared for _, prepared in group]
    if size == 1:  # as it is: a copy may lie otherwise in memory, and be computed otherwise
        return Pass(places, rows[0])
    rows += [rows[-1]] * (size - len(rows))
    names = rows[0].keys()
    return Pass(places, {name: torch.cat([image[name] for image in rows]) for name in names})
