"""The server of the dashboards: `streamlit run dashboards`.

What pages import takes seconds. It is imported before the first visitor is let in, who then sees
any page at once.
"""

import importlib
import pkgutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

import dashboards

# scripts, which draw when they are imported
_SCRIPTS = ("dashboards.app_pages", "dashboards.navigation", "dashboards.streamlit_app")


def import_rooms() -> None:
    """Import all that pages are made of, but for the pages themselves."""
    for module in pkgutil.walk_packages(dashboards.__path__, "dashboards."):
        if not module.name.startswith(_SCRIPTS):
            importlib.import_module(module.name)


@asynccontextmanager
async def _rooms_imported(_: st.App) -> AsyncGenerator[None]:
    import_rooms()
    yield


app = st.App(Path(__file__).with_name("navigation.py"), lifespan=_rooms_imported)
