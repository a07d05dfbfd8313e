"""What moved: each GPS cluster's share of the source images of an era, beside the era before.

Units are source images, each once an era: repeats of one say the same again.
"""

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl
from scipy.stats import fisher_exact

from analytics.comparison.intervals import Interval, newcombe_interval, wilson_interval
from analytics.comparison.multiple_tests import holm
from analytics.warehouse.statements import statements


@dataclass(frozen=True)
class ShareChange:
    """How a share differs from that of the era `against`: -1..1, with Newcombe's 95% interval.

    `p` is of Fisher's exact test, `p_adjusted` by Holm over all changes of a result.
    """

    against: str
    difference: float
    interval: Interval
    p: float
    p_adjusted: float


@dataclass(frozen=True)
class EraShare:
    """A cluster's `images` of the `n` different images with a position that an era sent.

    `change` is None in the first era.
    """

    cluster: str
    era: str
    images: int
    n: int
    change: ShareChange | None = None

    @property
    def share(self) -> float:
        """The share, 0..1."""
        return self.images / self.n

    @property
    def interval(self) -> Interval:
        """Wilson's 95% interval of the share."""
        return wilson_interval(self.images, self.n)


def challenge_images(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """A row a challenge with a position: challenge_id, era, and image, a hash of its source."""
    frame: pl.DataFrame = connection.sql(statements("analytics/queries/challenge_images")).pl()
    return frame


def era_shares(images: pl.DataFrame, members: pl.DataFrame) -> list[EraShare]:
    """Every cluster's share in every era, eras in their order within a cluster.

    Args:
        images: as `challenge_images` gives them.
        members: challenge_id and cluster, as a `ClusterReport` holds them; a challenge of `images`
            that is not among them is in no cluster, and counts in an era's n.
    """
    sent = dict(images.group_by("era").agg(pl.col("image").n_unique()).iter_rows())
    inside = {
        (cluster, era): count
        for cluster, era, count in members.join(images, on="challenge_id")
        .group_by("cluster", "era")
        .agg(pl.col("image").n_unique())
        .iter_rows()
    }
    eras = sorted(sent, key=_era_number)
    shares: list[EraShare] = []
    for cluster in members["cluster"].unique().sort():
        before: EraShare | None = None
        for era in eras:
            share = EraShare(cluster, era, inside.get((cluster, era), 0), sent[era])
            shares.append(share if before is None else _changed(share, before))
            before = share
    return _adjusted(shares)


def _era_number(era: str) -> int:
    return int(era.removeprefix("E"))


def _changed(share: EraShare, before: EraShare) -> EraShare:
    table = [[era.images, era.n - era.images] for era in (share, before)]
    p = float(fisher_exact(table).pvalue)
    change = ShareChange(
        against=before.era,
        difference=share.share - before.share,
        interval=newcombe_interval(share.images, share.n, before.images, before.n),
        p=p,
        p_adjusted=p,
    )
    return replace(share, change=change)


def _adjusted(shares: list[EraShare]) -> list[EraShare]:
    changes = [share.change for share in shares if share.change is not None]
    adjusted = iter(holm(np.array([change.p for change in changes])).tolist())
    return [
        share
        if share.change is None
        else replace(share, change=replace(share.change, p_adjusted=next(adjusted)))
        for share in shares
    ]
