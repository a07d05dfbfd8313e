"""SQL files lie in the package that asks the question, in a folder named as the room."""

from itertools import chain

from analytics.ingest.ingest import ingest
from analytics.warehouse.connection import reading
from analytics.warehouse.relations import RELATIONS
from data.store import Store
from tests.conftest import ROOT

PACKAGES = ("analytics", "replay", "model")
SCHEMA = ROOT / "analytics" / "sql" / "schema"


def test_a_query_is_asked_by_the_room_it_lies_in() -> None:
    folders = {path.parent for path in ROOT.glob("*/sql/*/*.sql")} - {SCHEMA}
    assert len(folders) > 5
    for folder in folders:
        package, room = folder.parts[-3], folder.name
        code = "".join(path.read_text("utf-8") for path in (ROOT / package / room).glob("*.py"))
        assert f'"{package}/{room}/' in code, f"{folder}: no file of {package}/{room} asks it"


def test_every_query_is_asked() -> None:
    files = chain(*((ROOT / package).rglob("*.py") for package in PACKAGES))
    code = "".join(path.read_text("utf-8") for path in files)
    for path in ROOT.glob("*/sql/*/*.sql"):
        name = f"{path.parts[-4]}/{path.parent.name}/{path.stem}"
        assert name in code or f'"{path.stem}"' in code, f"nobody asks {path}"


def test_every_relation_is_made(store: Store) -> None:
    ingest(store, [ROOT / "data" / "sample" / "media_record.json"])
    with reading(store) as connection:
        for relation in RELATIONS:
            connection.table(relation)
