from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from data.errors import WriteError
from data.store import Store
from replay.answering.part_file import encoded_part
from replay.pictures.contact_sheet import draw_sheet
from replay.pictures.jpeg_files import render
from replay.plans.plan import plan
from replay.runs.run_folder import RunFolder
from replay.settings import VariantSettings
from tests.worlds.full_disk import fill, small_disk
from tests.worlds.stores import LEVEL_0, World, encoded, picture, write_shard

PART = {
    "challenge_id": "ab",
    "fidelity": "exact",
    "reason": None,
    "variant": 0,
    "weight": 1.0,
    "noisy": False,
    "probability": 0.5,
    "gates": None,
}


def test_a_part_of_a_run_is_written_whole_or_told(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 512) as disk:
        run = RunFolder("replay-1", disk, FileLock(disk / "run.lock"))
        (disk / "parts").mkdir()
        run.write_part(0, encoded_part([PART]))
        fill(disk)
        with pytest.raises(WriteError, match=r"part-00001\.parquet: found No space left"):
            run.write_part(1, encoded_part([PART] * 1000))
        with pytest.raises(WriteError, match="No space left"):
            run.write_part(0, encoded_part([PART] * 1000))
        assert run.read_part(0) == [PART]
        assert run.unanswered(1) is None
        (disk / "ballast").unlink()
        run.write_part(1, encoded_part([PART] * 1000))
        assert run.unanswered(1) == set()


def test_images_and_sheets_are_written_whole_or_told(
    tmp_path: Path, store: Store, record: dict[str, Any]
) -> None:
    world = World(store, record)
    write_shard(store.sources, [encoded(picture((320, 240)))])
    world.ask(0, **LEVEL_0)
    planned = plan(world.ingest(), world.shards, VariantSettings())
    with small_disk(tmp_path / "disk", 512) as disk:
        sheet = disk / "sheet.png"
        sheet.write_bytes(b"an earlier sheet")
        (written,) = render(planned, world.shards, disk)
        whole = Path(written.files[0]).read_bytes()
        fill(disk)
        with pytest.raises(WriteError, match=r"\.jpg: found No space left"):
            render(planned, world.shards, disk)
        with pytest.raises(WriteError, match=r"sheet\.png: found No space left"):
            draw_sheet(planned, world.shards, sheet)
        assert Path(written.files[0]).read_bytes() == whole
        assert sheet.read_bytes() == b"an earlier sheet"
        assert len(list(disk.iterdir())) == 3
