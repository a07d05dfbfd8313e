"""What needs attention: each finding is said once, and nothing is where all is well."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from analytics.audit.kept_audit import KeptAudit
from analytics.comparison.slices import Slice
from analytics.queries.overview import Totals
from analytics.queries.replay_runs import FidelityCount
from dashboards.overview.attention import Notice, Standing, notices
from data.store import Store
from replay.comparing.results import Comparison
from tests.dashboards.conftest import keep_comparison

TOTALS = Totals(60, 1, 60, None, None, 600, 0, 0, 30, 30, 0, 0)
AUDIT = KeptAudit(datetime.now(UTC), "", False, 0.05, 1, 60, 900, 0, 0, 0, 0, 0)
WELL = Standing(TOTALS, AUDIT, True, [], None, None)
SLICE = Slice(
    *("weather", "Rainy", 300, 40, 30, 0.6, 0.8, (0.5, 0.7), (-0.3, -0.1)),
    *(0.2, 0.6, (0.1, 0.3), (-0.6, -0.2), 0.08, (0.02, 0.14), False),
)


@pytest.fixture
def compared(replayed: Store) -> Comparison:
    """Of a candidate that is right, with nothing to say of it."""
    found = keep_comparison(replayed)
    return replace(found, slices=[], shift=None, overlap_checked=True, baselines=[])


def what(standing: Standing) -> list[str]:
    return [notice.what for notice in notices(standing)]


def test_nothing_where_all_is_well(compared: Comparison) -> None:
    assert what(WELL) == []
    assert what(replace(WELL, compared=compared)) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"totals": replace(TOTALS, records_rejected=3)}, "3 records and 0 values"),
        ({"audit": replace(AUDIT, wrong=7)}, "7 logged numbers"),
        ({"audit": replace(AUDIT, holes=2, missing=9)}, "2 holes of at least 9"),
        ({"audit": None, "audit_is_current": False}, "never audited"),
        ({"audit_is_current": False}, "changed since the last audit"),
        (
            {
                "coverage": [
                    FidelityCount("impossible", "shard missing", 4),
                    FidelityCount("exact", None, 6),
                ]
            },
            "4 of 10 challenges have no image",
        ),
    ],
)
def test_each_finding_of_the_log(changed: dict[str, object], said: str) -> None:
    [found] = what(replace(WELL, **changed))  # type: ignore[arg-type]
    assert said in found


def test_the_slice_that_costs_most(compared: Comparison) -> None:
    sliced = replace(compared, slices=[SLICE])
    [notice] = notices(replace(WELL, compared=sliced))
    assert "weather is Rainy (0.080, n 300)" in notice.what
    assert notice.parameters == {"run": compared.run_id, "slices_by": "weather"}
    may_be_chance = replace(SLICE, cost_interval=(-0.01, 0.1))
    assert what(replace(WELL, compared=replace(compared, slices=[may_be_chance]))) == []


def test_the_most_urgent_comes_first(compared: Comparison) -> None:
    everything = replace(
        WELL,
        totals=replace(TOTALS, values_rejected=1),
        audit=replace(AUDIT, wrong=1),
        compared=replace(compared, slices=[SLICE], overlap_checked=False),
    )
    found: list[Notice] = notices(everything)
    assert [notice.page for notice in found] == [None, "sql", "comparison", None]
