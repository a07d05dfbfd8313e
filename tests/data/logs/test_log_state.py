"""By what two machines know that they have the same log."""

import shutil
from pathlib import Path

import pytest

from data.digests import file_digest
from data.logs.log_kind import LogFile, LogKind
from data.logs.log_state import log_content


def test_a_copy_is_the_same_and_another_content_is_not(tmp_path: Path) -> None:
    logs = [LogFile(tmp_path / place / "log.jsonl", LogKind.JSON) for place in "abc"]
    for log, content in zip(logs, (b"one", b"one", b"two"), strict=True):
        log.path.parent.mkdir()
        log.path.write_bytes(content)
    here, copy, other = map(log_content, logs)
    assert here == copy != other
    assert log_content(logs[0], file_digest(logs[0].path)) == here
    with pytest.raises(FileNotFoundError):
        log_content(LogFile(tmp_path / "none", LogKind.JSON))


@pytest.mark.parametrize("kind", [LogKind.WANDB, LogKind.RUN_FOLDER])
def test_a_run_is_its_files_whose_media_have_their_hash_in_their_names(
    tmp_path: Path, kind: LogKind
) -> None:
    def content(place: str) -> str:
        folder = tmp_path / place / "run"
        log = folder / "run-a.wandb" if kind is LogKind.WANDB else folder
        return log_content(LogFile(log, kind))

    media = tmp_path / "here" / "run" / "files" / "media" / "html"
    media.mkdir(parents=True)
    (media / "metadata_1_abc.html").write_text("one")
    (media.parents[2] / "run-a.wandb").write_text("log")
    here = content("here")
    for number, (file, text) in enumerate(
        [("files/media/html/metadata_2_abd.html", "two"), ("run-a.wandb", "lag")]
    ):
        shutil.copytree(tmp_path / "here", tmp_path / str(number))
        assert content(str(number)) == here
        (tmp_path / str(number) / "run" / file).write_text(text)
        assert content(str(number)) != here
