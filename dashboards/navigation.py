"""Navigation of the dashboards, which every visitor's script begins with.

Pages lie in `app_pages/`: in a folder named `pages/` Streamlit would find them by itself, and show
a link to one without this navigation.
"""

import streamlit as st

st.set_page_config(page_title="StreetReplay", page_icon="🚧", layout="wide")
st.navigation(
    [
        st.Page(
            "app_pages/overview.py", title="Overview", icon=":material/dashboard:", default=True
        ),
        st.Page("app_pages/challenges.py", title="Challenges", icon=":material/image_search:"),
        st.Page("app_pages/my_miner.py", title="My miner", icon=":material/person_pin:"),
        st.Page("app_pages/miners.py", title="Miners", icon=":material/groups:"),
        st.Page(
            "app_pages/comparison.py", title="Replay and compare", icon=":material/compare_arrows:"
        ),
        st.Page("app_pages/gps_clusters.py", title="GPS clusters", icon=":material/map:"),
        st.Page("app_pages/null_rates.py", title="NULL rates", icon=":material/rule:"),
        st.Page("app_pages/gates.py", title="Gates", icon=":material/tune:"),
        st.Page("app_pages/retraining.py", title="Retraining", icon=":material/model_training:"),
        st.Page("app_pages/sql.py", title="SQL", icon=":material/database:"),
    ]
).run()
