"""Datasets of kept features: they need neither images nor a backbone."""

from collections.abc import Sequence

import torch
from torch.utils.data import Dataset

from model.datasets.batch import Batch, RowDraw, RowTable
from model.datasets.view_choice import chosen_views
from model.views.views import VIEWS


class FeatureDataset(Dataset[Batch]):
    """Features of the draws of a split's rows, float32 (rows * draws, 12, width), row by row.

    As training data it is asked for draws of rows and shows some views; for validation by
    `AllDraws` it shows all.
    """

    def __init__(
        self, features: torch.Tensor, table: RowTable, draws: int, views: int = VIEWS, seed: int = 0
    ) -> None:
        """Take features, the table of their rows, and how many views are shown by which seed."""
        self._features, self._table, self._draws = features, table, draws
        self._views, self._seed = views, seed

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, draw: RowDraw) -> Batch:
        """One challenge, as a batch."""
        return self.__getitems__([draw])

    def __getitems__(self, draws: Sequence[RowDraw]) -> Batch:
        """The challenges that a sampler asks for."""
        views = chosen_views(draws, self._table.scenes, self._views, self._seed)
        index = torch.tensor([draw.row * self._draws + draw.draw for draw in draws])
        features = self._features[index.to(self._features.device)]
        if views is not None:
            own = torch.arange(len(features), device=features.device)[:, None]
            features = features[own, views.to(features.device)]
        return self._table.batch(draws, features, views)


class AllDraws(Dataset[Batch]):
    """Every draw of every row once, in their order: what validation asks for."""

    def __init__(self, dataset: FeatureDataset, draws: int) -> None:
        """Take the dataset, and how many draws of each row it has."""
        self._dataset, self._draws = dataset, draws

    def __len__(self) -> int:
        return len(self._dataset) * self._draws

    def __getitem__(self, index: int) -> Batch:
        """One challenge, as a batch."""
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """The challenges at some indices."""
        draws = [RowDraw(index // self._draws, index % self._draws, 0) for index in indices]
        return self._dataset.__getitems__(draws)
