"""Pillow's own memory of an RGB image as an array of words, without a copy.

Pillow hands it out by the Arrow C data interface, whose two structures are fixed for good
(https://arrow.apache.org/docs/format/CDataInterface.html). pyarrow, which could read them too, is
not needed by anything else that rebuilds images.
"""

import ctypes
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

Words = npt.NDArray[np.uint32]
"""Pixels: red in the lowest byte, then green and blue; the highest byte means nothing."""


class Part(NamedTuple):
    """Pixels around a box of an image; only those of the box are sure to be the image's."""

    words: Words
    """(h, w)"""
    left: int
    """Where the first of them lies in the image."""
    top: int


class _ArrowArray(ctypes.Structure):
    """`struct ArrowArray`."""


_ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_ArrowArray))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.c_void_p),
    ("private_data", ctypes.c_void_p),
]

_address_in = ctypes.pythonapi.PyCapsule_GetPointer
_address_in.restype = ctypes.c_void_p
_address_in.argtypes = [ctypes.py_object, ctypes.c_char_p]


class _ArrowPixels:
    """What NumPy makes an array of; it holds the memory for as long as the array lives."""

    def __init__(self, image: Image.Image) -> None:
        """Take an RGB image.

        Raises:
            ValueError: its memory is in several pieces.
        """
        self._capsules = image.__arrow_c_array__()
        array = _ArrowArray.from_address(_address_in(self._capsules[1], b"arrow_array"))
        # one child, the bytes of all pixels, whose first buffer says which are missing: none
        values = array.children[0].contents
        self.__array_interface__ = {
            "version": 3,
            "shape": (image.height, image.width),
            "typestr": np.dtype(np.uint32).str,
            "data": (values.buffers[1], True),
        }


def pixel_words(image: Image.Image) -> Words:
    """The pixels of an image, (h, w), not to be written to.

    Args:
        image: of any mode; one that is not RGB is converted to it.
    """
    if image.mode != "RGB":
        image = image.convert("RGB")
    image.load()
    try:
        return np.asarray(_ArrowPixels(image))
    except ValueError:
        raw = image.tobytes("raw", "RGBX")
        return np.frombuffer(raw, np.uint32).reshape(image.height, image.width)
