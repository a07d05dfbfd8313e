"""A slider for each number of the weights' policy; what they say is in the page's address."""

from typing import Any

import streamlit as st

from data.settings import Setting, settings_of
from model.weighting.policy import WeightPolicy

_WORDS = {
    "gps": "Place",
    "slices": "Slices in which the champion loses",
    "difficulty": "Difficulty and doubtful labels",
    "balance": "Balance of the labels",
    "nulls": "NULL patterns",
    "gates": "Where the model looks elsewhere when it is wrong",
    "product": "Limits of the product",
}
# targets have a field of their own in a file; how often draws are near them is not shown here
_LEFT_OUT = ("latitudes", "longitudes", "share_km", "aim")
_TIMES_DEFAULT, _STEPS, _DIGITS = 4.0, 200, 6


def choose_policy() -> WeightPolicy:
    """The policy that the sliders say, at first the bundled one.

    Raises:
        RunError: values that do not go together, such as distances that do not rise.
    """
    bundled = WeightPolicy().tables
    parts: dict[str, Any] = {}
    chosen: dict[str, dict[str, Any]] = {}
    for name, part in bundled.items():
        with st.expander(_WORDS[name], expanded=name == "gps"):
            columns, chosen[name] = st.columns(2), {}
            for place, one in enumerate(_shown(part)):
                with columns[place % 2]:
                    key, default = f"{name}.{one.name}", getattr(part, one.name)
                    chosen[name][one.name] = _choose(key, one, default)
    st.button("Back to the bundled policy", on_click=_reset, key="reset_policy")
    for name, part in bundled.items():  # after all are drawn: a refused value hides no slider
        parts[name] = type(part)(**chosen[name])
    return WeightPolicy(**parts)


def _reset() -> None:
    for name, part in WeightPolicy().tables.items():
        for one in _shown(part):
            st.session_state[f"{name}.{one.name}"] = getattr(part, one.name)


def _shown(part: Any) -> list[Setting]:
    kind: type = type(part)
    return [one for one in settings_of(kind) if one.name not in _LEFT_OUT]


def _choose(key: str, one: Setting, default: Any) -> Any:
    label = f"{one.name}: {one.help}"
    if one.kind is bool:
        return st.toggle(label, value=default, key=key, bind="query-params")
    low, high, step = limits(one, default)
    value = st.slider(label, low, high, default, step, key=key, bind="query-params")
    return round(float(value), _DIGITS)


def limits(one: Setting, default: float) -> tuple[float, float, float]:
    """Ends and step of a slider: the setting's bounds; where it has none, four times the default.

    An end that a setting only comes near to is a step away.
    """
    bounds = one.bounds
    low = bounds.get("at least", bounds.get("above", 0.0))
    high = bounds.get("at most", bounds.get("below", max(1.0, _TIMES_DEFAULT * default)))
    step = _nice((high - low) / _STEPS)
    return (
        float(low + step if "above" in bounds else low),
        float(high - step if "below" in bounds else high),
        step,
    )


def _nice(step: float) -> float:
    """The next larger of 1, 2 or 5 times a power of ten, of which defaults are multiples."""
    power = 0.001
    while True:
        for times in (1, 2, 5):
            if times * power >= step - 1e-12:
                return round(times * power, _DIGITS)
        power *= 10
