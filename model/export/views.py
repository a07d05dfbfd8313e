"""The twelve views as torch operations alone, so that they are part of an exported network.

`model.views` computes the same by compiled loops. Here a resize is a dense matrix, computed from
the image's size inside the network: sizes of an exported network are known only when it runs.
"""

import torch
from torch import nn

from model.views.views import COLUMN_RANGES, RANGES, ROW_RANGES, VIEWS, ViewSettings

# By range of rows, the views that have it.
_BANDS = tuple(
    [view for view in range(VIEWS) if ROW_RANGES[view] == index]
    for index in sorted(set(ROW_RANGES))
)


class ExportedViews(nn.Module):
    """Normalised views of an image, within 2e-5 of `ViewExtractor`'s.

    Args:
        settings: side, mean and standard deviation.
    """

    def __init__(self, settings: ViewSettings) -> None:
        super().__init__()
        self.scale: torch.Tensor
        self.shift: torch.Tensor
        self.ranges: torch.Tensor
        self.centres: torch.Tensor
        self.side = settings.side
        mean, std = (torch.tensor(of, dtype=torch.float64) for of in (settings.mean, settings.std))
        self.register_buffer("scale", (1 / (255 * std)).float()[:, None, None])
        self.register_buffer("shift", (-mean / std).float()[:, None, None])
        self.register_buffer("ranges", torch.tensor(RANGES, dtype=torch.float64))  # (6, 3)
        self.register_buffer("centres", torch.arange(self.side, dtype=torch.float64) + 0.5)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """The views float32 (12, 3, side, side) of an image uint8 (H, W, 3)."""
        planes = pixels.permute(2, 0, 1).float()  # (3, H, W)
        rows = self._matrices(pixels.shape[0])  # (6, side, H)
        columns = self._matrices(pixels.shape[1])  # (6, side, W)
        views: list[torch.Tensor] = [planes] * VIEWS
        for row_range, band in enumerate(_BANDS):
            summed = rows[row_range] @ planes  # (3, side, W)
            wanted = torch.cat([columns[COLUMN_RANGES[view]] for view in band])
            resized = summed @ wanted.T  # (3, side, views of the band * side)
            for view, part in zip(band, resized.chunk(len(band), dim=-1), strict=True):
                views[view] = part
        return torch.stack(views) * self.scale + self.shift

    def _matrices(self, size: int) -> torch.Tensor:
        """The resizes of a side's six ranges, float32 (6, side, size), see `resize_weights`.

        In float64 until the end: a column's centre has too few bits else.
        """
        pixel = torch.arange(size, dtype=torch.float64, device=self.centres.device)
        count = pixel[-1] + 1  # a tensor: a number would be fixed when the network is exported
        first, end, parts = self.ranges.T[..., None, None].unbind()  # (6, 1, 1) each
        first, end = torch.floor(count * first / parts), torch.ceil(count * end / parts)
        scale = (end - first) / self.side  # (6, 1, 1)
        centre = first + scale * self.centres[:, None]  # (6, side, 1)
        weights = 1 - torch.abs(pixel + 0.5 - centre) / scale.clamp_min(1.0)
        inside = (pixel >= first) & (pixel < end)
        weights = weights.clamp_min(0.0) * inside
        return (weights / weights.sum(dim=-1, keepdim=True)).float()
