"""What each of several challengers on one gate set may spend of the chance of a false promotion.

Ten challengers without any gain, each judged at 5%, promote one in up to 40% of all cases. So the
k-th challenger on a gate set is judged at alpha / (k (k + 1)), one-sided. These sum to alpha over
however many come, so that by Bonferroni's inequality the chance that any is promoted without being
better is at most alpha, in whatever order they come, however they resemble each other, and whatever
was learned from the ones before (a challenger that is chosen after looking is one more of them).
Spending by such a series is Foster and Stine's alpha investing without its returns (2008, JRSS B
70), as online Bonferroni: the number of challengers need not be known in advance, which a fixed
correction would ask for, and no part of the log is set aside for later ones, which a fresh part
would. With alpha = 0.05 the first is judged by an ordinary interval of 95%, the second of 98.3%,
the tenth of 99.9%; the size that the gate needs grows with the logarithm of their number only.
"""


def attempt_alpha(alpha: float, attempt: int) -> float:
    """The one-sided chance of a false promotion that a challenger may take.

    Args:
        alpha: of all challengers on one gate set together.
        attempt: the challenger's number on it, from 1.

    Raises:
        ValueError: an attempt below 1.
    """
    if attempt < 1:
        raise ValueError(f"attempt is {attempt}, expected 1 or more")
    return alpha / (attempt * (attempt + 1))


def interval_level(alpha: float, attempt: int) -> float:
    """The level of the two-sided interval whose lower end has to lie above zero, 0..1."""
    return 1 - 2 * attempt_alpha(alpha, attempt)
