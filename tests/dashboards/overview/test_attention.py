"""What needs attention: each finding is said once, and nothing is where all is well."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from analytics.audit.kept_audit import KeptAudit
from analytics.miners.memorised_images import Memorisation
from analytics.queries.overview import Totals
from analytics.queries.replay_runs import FidelityCount
from analytics.slices.scores import Slice
from analytics.standings.together import MinersTogether
from dashboards.overview.attention import Notice, Standing, notices
from data.store import Store
from model.retraining.decide import Decision
from model.retraining.decision_now import DecisionNow
from replay.comparing.results import Comparison
from tests.dashboards.conftest import keep_comparison

TOTALS = Totals(60, 1, 60, None, None, 600, 0, 0, 30, 30, 0, 0, 0)
AUDIT = KeptAudit(datetime.now(UTC), "", False, 0.05, 1, 60, 900, 0, 0, 0, 0, 0)
WELL = Standing(TOTALS, AUDIT, True, [], None, None, None)
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
        ({"totals": replace(TOTALS, false_signatures=2)}, "2 W&B runs name a hotkey"),
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


@pytest.mark.parametrize(
    ("due", "said", "name"),
    [(True, "is due", "Retrain"), (False, "no retraining", "See the drift")],
)
def test_drift_is_said_whether_a_retraining_is_due_or_not(due: bool, said: str, name: str) -> None:
    decision = Decision(due, ("cities moved",), () if due else ("0 new rows",))
    now = cast("DecisionNow", SimpleNamespace(decision=decision))
    [notice] = notices(replace(WELL, decision=now))
    assert "cities moved" in notice.what
    assert said in notice.what
    assert (notice.page, notice.name) == ("retraining", name)
    calm = cast("DecisionNow", SimpleNamespace(decision=Decision(False, (), ("0 new rows",))))
    assert what(replace(WELL, decision=calm)) == []


@pytest.mark.parametrize(("suspects", "found"), [(0, 0), (2, 1)])
def test_suspects_are_counted_among_those_tested(suspects: int, found: int) -> None:
    tests = [SimpleNamespace(suspect=number < suspects) for number in range(5)]
    together = cast(
        "MinersTogether",
        SimpleNamespace(memorisation=Memorisation(tests, 3)),  # type: ignore[arg-type]
    )
    said = what(replace(WELL, together=together))
    assert len(said) == found
    assert all("2 of 5 miners tested" in one for one in said)
