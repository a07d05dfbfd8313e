import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data.columnar.reward_exponents import fitting_exponents
from data.records.eras import ALL_EXPONENTS, exponent_fits

# rewards as the formula gives them, near misses of the tolerance, and any other numbers
accuracies = st.builds(lambda k, n: k / n, st.integers(0, 10), st.integers(1, 10))
nudges = st.sampled_from([0.0, 1e-16, 1e-12, 9.99e-10, 1e-9, 1.0001e-9, 3e-9, -1e-9, 1e-3])
numbers = st.one_of(st.floats(-2, 2), st.sampled_from([0.0, 1.0, 1e308, -1e308, 1e-308]))


@st.composite
def answers(draw: st.DrawFn) -> tuple[float, float]:
    if draw(st.integers(0, 3)) == 0:
        return draw(numbers), draw(numbers)
    mcc = draw(st.floats(0, 1))
    base = (mcc + draw(accuracies) + draw(nudges)) / 2
    return max(base, 0.0) ** draw(st.sampled_from([1, 3])), mcc


@given(st.lists(st.lists(answers(), min_size=1, max_size=12), min_size=1, max_size=8))
def test_records_together_fit_as_each_alone(records: list[list[tuple[float, float]]]) -> None:
    flat = np.array([pair for record in records for pair in record])
    starts = np.concatenate(([0], np.cumsum([len(record) for record in records])))
    found = fitting_exponents(flat[:, 0].copy(), flat[:, 1].copy(), starts)
    for record, exponents in zip(records, found, strict=True):
        paid = [pair for pair in record if pair[0] > 0]
        assert exponents == {e for e in ALL_EXPONENTS if exponent_fits(e, paid)}
