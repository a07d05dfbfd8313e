"""Navigation of the dashboards: `streamlit run dashboards`."""

import streamlit as st

st.set_page_config(page_title="StreetReplay", page_icon="🚧", layout="wide")
st.navigation(
    [
        st.Page("pages/overview.py", title="Overview", icon=":material/dashboard:", default=True),
        st.Page("pages/gps_clusters.py", title="GPS clusters", icon=":material/map:"),
        st.Page("pages/null_rates.py", title="NULL rates", icon=":material/rule:"),
        st.Page("pages/gates.py", title="Gates", icon=":material/tune:"),
        st.Page("pages/retraining.py", title="Retraining", icon=":material/model_training:"),
        st.Page("pages/sql.py", title="SQL", icon=":material/database:"),
    ]
).run()
