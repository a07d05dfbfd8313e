"""Digests of files and of code."""

import hashlib
from pathlib import Path

from data.digests import code_digest, file_digest
from tests.conftest import ROOT


def test_a_file_has_the_digest_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"road")
    assert file_digest(file) == hashlib.sha256(b"road").hexdigest()
    assert file_digest(tmp_path) == file_digest(tmp_path / "none") == ""


def test_code_has_the_digest_of_its_files_in_order() -> None:
    files = sorted((ROOT / "analytics" / "gates").glob("*.py"))
    joined = b"".join(file.read_bytes() for file in files)
    assert code_digest("analytics/gates") == hashlib.sha256(joined).hexdigest()
    assert code_digest("analytics/gates") != code_digest("analytics/gates", "analytics/lives")
