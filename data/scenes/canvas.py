"""Draw in perspective: points in metres in front of the camera become pixels of an RGB picture."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
"""Red, green, blue in 0..255."""
Point = tuple[float, float]
Pixels = NDArray[np.uint8]

_SUBPIXEL_BITS = 4
# OpenCV clips polygons itself, but wraps beyond int32: keep far outside the picture, well inside.
_FAR_OUTSIDE = 1 << 20


@dataclass(frozen=True)
class View:
    """The camera: `focal` and the vanishing point in pixels, `height` above ground in metres.

    `curvature` (1/m) bends the road: at z metres it lies `curvature * z * z` metres to the right.
    """

    focal: float
    centre: float
    horizon: float
    height: float
    curvature: float

    def pixel(self, x: float, y: float, z: float) -> Point:
        """The pixel of a point x metres right of the lane's middle, y metres up, z metres ahead."""
        right = self.centre + self.focal * (x + self.curvature * z * z) / z
        return right, self.horizon + self.focal * (self.height - y) / z


@dataclass(frozen=True)
class Light:
    """The light of a scene: `ambient` RGB in 0..1, `headlight` in 0..1, and the colour of haze.

    `haze_m` is the distance in metres at which about two thirds of an object's colour is haze.
    """

    ambient: tuple[float, float, float]
    headlight: float
    haze: Colour
    haze_m: float

    def beam(self, x: float, z: float) -> float:
        """Brightness (0..1) that the camera car's headlights add at a point in metres."""
        return self.headlight * math.exp(-z / 32.0 - (x / (3.0 + 0.3 * z)) ** 2)


class Plane:
    """A vertical plane at (x, z) facing the camera; coordinates are metres from its foot."""

    def __init__(self, canvas: "Canvas", x: float, z: float) -> None:
        self._canvas = canvas
        self.x, self.z = x, z
        self.foot = canvas.view.pixel(x, 0.0, z)
        self.scale = canvas.view.focal / z
        self._beam = canvas.light.beam(x, z)
        self._clear = math.exp(-z / canvas.light.haze_m)

    def tint(self, colour: Colour, *, reflectance: float = 1.0) -> Colour:
        """`colour` with the light and haze at this plane; `reflectance` > 1 is retroreflective."""
        light = self._canvas.light
        mixed = [
            min(1.0, level + self._beam * reflectance) * value * self._clear
            + (1.0 - self._clear) * haze
            for value, level, haze in zip(colour, light.ambient, light.haze, strict=True)
        ]
        return round(mixed[0]), round(mixed[1]), round(mixed[2])

    def poly(self, points: Sequence[Point], colour: Colour, *, reflectance: float = 1.0) -> None:
        """Fill a polygon of (metres right, metres up) points."""
        left, down = self.foot
        shape = [(left + x * self.scale, down - y * self.scale) for x, y in points]
        self._canvas.fill(shape, self.tint(colour, reflectance=reflectance))

    def rect(
        self,
        left: float,
        bottom: float,
        right: float,
        top: float,
        colour: Colour,
        *,
        reflectance: float = 1.0,
    ) -> None:
        """Fill a rectangle, all four in metres."""
        self.poly(
            [(left, bottom), (right, bottom), (right, top), (left, top)],
            colour,
            reflectance=reflectance,
        )

    def disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Fill a disc; centre and radius in metres."""
        self._disc(x, y, radius, self.tint(colour))

    def lamp(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Draw a disc that emits light: its colour does not depend on the scene's light."""
        self._disc(x, y, radius, colour)
        if self._canvas.light.headlight > 0:
            centre = self.foot[0] + x * self.scale, self.foot[1] - y * self.scale
            self._canvas.draw_halo(centre, radius * self.scale * 5.0, colour)

    def _disc(self, x: float, y: float, radius: float, colour: Colour) -> None:
        left, down = self.foot
        centre = (left + x * self.scale, down - y * self.scale)
        self._canvas.disc(centre, radius * self.scale, colour)


class Canvas:
    """RGB pixels (H x W x 3, uint8) with the camera and the light they are drawn under."""

    def __init__(self, size: tuple[int, int], view: View, light: Light) -> None:
        self.width, self.height = size
        self.view, self.light = view, light
        self.pixels: Pixels = np.zeros((self.height, self.width, 3), np.uint8)
        self._halo_pixels: Pixels = np.zeros(
            (self.height // 8 + 1, self.width // 8 + 1, 3), np.uint8
        )
        self._has_halos = False

    def plane(self, x: float, z: float) -> Plane:
        """The vertical plane at x metres right, z metres ahead."""
        return Plane(self, x, z)

    def fill(self, shape: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon of pixel points."""
        scaled = np.array(shape, np.float64) * (1 << _SUBPIXEL_BITS)
        corners = np.clip(scaled, -_FAR_OUTSIDE, _FAR_OUTSIDE).round().astype(np.int32)
        cv2.fillPoly(self.pixels, [corners], colour, cv2.LINE_AA, _SUBPIXEL_BITS)

    def disc(self, centre: Point, radius: float, colour: Colour) -> None:
        """Fill a disc; centre and radius in pixels."""
        x, y = (round(c * 16) for c in centre)
        if max(abs(x), abs(y)) < _FAR_OUTSIDE:
            size = max(8, round(radius * 16))
            cv2.circle(self.pixels, (x, y), size, colour, -1, cv2.LINE_AA, _SUBPIXEL_BITS)

    def fill_ground(self, shape: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon of (x, z) points on the ground, metres; `light_ground` lights it later."""
        self.fill([self.view.pixel(x, 0.0, z) for x, z in shape], colour)

    def fill_strip(self, left: float, right: float, colour: Colour) -> None:
        """Fill the ground between two lines along the road, from the camera to the horizon."""
        depths = np.geomspace(1.2, 900.0, 16).tolist()
        edges = [(left, z) for z in depths] + [(right, z) for z in reversed(depths)]
        self.fill_ground(edges, colour)

    def light_ground(self) -> None:
        """Apply light and haze to all that is drawn below the horizon so far, as planes do."""
        top = min(max(round(self.view.horizon), 0), self.height - 1)
        rows, columns = (self.height - top) // 8 + 1, self.width // 8 + 1
        down = np.linspace(1.0, self.height - self.view.horizon, rows)[:, None]
        depth = self.view.focal * self.view.height / np.maximum(down, 0.5)  # rows x 1, metres
        across = (np.linspace(0.0, self.width, columns)[None] - self.view.centre) * depth
        side = across / self.view.focal - self.view.curvature * depth * depth
        beam = np.exp(-depth / 32.0 - np.square(side / (3.0 + 0.3 * depth)))
        lit = np.array(self.light.ambient) + self.light.headlight * beam[..., None]
        clear = np.exp(-depth / self.light.haze_m)[..., None]
        gain = np.minimum(lit, 1.0) * clear * 255.0
        haze_colour = np.broadcast_to((1.0 - clear) * np.array(self.light.haze), gain.shape)
        below = self.pixels[top:]
        size = (below.shape[1], below.shape[0])
        smooth_gain = cv2.resize(gain.astype(np.uint8), size)
        haze = cv2.resize(np.ascontiguousarray(haze_colour).astype(np.uint8), size)
        self.pixels[top:] = cv2.add(cv2.multiply(below, smooth_gain, scale=1 / 255), haze)

    def draw_halo(self, centre: Point, radius: float, colour: Colour) -> None:
        """Draw a lamp's halo, pixels, for `add_halos` to add."""
        self._has_halos = True
        at = (round(centre[0] / 8), round(centre[1] / 8))
        if max(abs(at[0]), abs(at[1])) < _FAR_OUTSIDE:
            dim = (colour[0] // 3, colour[1] // 3, colour[2] // 3)
            cv2.circle(self._halo_pixels, at, max(1, round(radius / 8)), dim, -1)

    def add_halos(self) -> None:
        """Add the blurred halos of all lamps so far to the pixels."""
        if not self._has_halos:
            return
        soft = cv2.GaussianBlur(self._halo_pixels, (0, 0), max(1.0, self.height / 8 / 60))
        halo = cv2.resize(soft, (self.width, self.height))
        cv2.add(self.pixels, halo, dst=self.pixels)


Drawing = Callable[[Plane], None]
"""Draws one object on a plane."""

Placed = tuple[float, float, Drawing]
"""An object: x and z of its plane in metres, and how to draw it."""
