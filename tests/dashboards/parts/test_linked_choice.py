"""A choice in the page's link: the link wins when it is followed, then what is chosen."""

from streamlit.testing.v1 import AppTest

SCRIPT = """
import streamlit as st
from dashboards.parts.linked_choice import linked_choice

st.text(linked_choice("Run", {"a": "the first", "b": "the second", "c": "the third"}, "run"))
"""


def opened(**link: str) -> AppTest:
    app = AppTest.from_string(SCRIPT, default_timeout=300)
    for key, value in link.items():
        app.query_params[key] = value
    return app.run()


def test_a_link_chooses_and_what_is_chosen_is_in_the_link() -> None:
    assert opened().text[0].value == "a"
    page = opened(run="b")
    assert page.text[0].value == "b"
    page.selectbox[0].set_value("c").run()
    assert page.text[0].value == "c"
    assert page.query_params["run"] == "c"
    page.query_params["run"] = "b"  # a link within the same visit
    assert page.run().text[0].value == "b"


def test_a_link_to_what_is_not_there_is_the_first() -> None:
    assert opened(run="<b>").text[0].value == "a"
