"""SQL names eras by hand: each list must say what `data.records.eras` says."""

import re
from pathlib import Path

from data.records.eras import ERAS

SQL = Path(__file__).parents[3] / "analytics/sql"
LIST = re.compile(r"era IN \(('[^)]*)\)")


def eras_listed(file: str) -> set[str]:
    (listed,) = LIST.findall((SQL / file).read_text("utf-8"))
    return set(re.findall(r"'(\w+)'", listed))


def test_eras_that_log_no_source() -> None:
    without_source = {era.name for era in ERAS if not era.logs_source}
    assert eras_listed("leaks/image_nulls.sql") == without_source
    assert eras_listed("queries/sources.sql") == without_source


def test_eras_whose_reward_has_no_exponent() -> None:
    plain = {era.name for era in ERAS if era.exponent == 1}
    assert eras_listed("schema/audit_recent_accuracy.sql") == plain


def test_no_other_statement_lists_eras() -> None:
    listing = {
        str(file.relative_to(SQL))
        for file in SQL.rglob("*.sql")
        if LIST.search(file.read_text("utf-8"))
    }
    assert len(listing) == 3
