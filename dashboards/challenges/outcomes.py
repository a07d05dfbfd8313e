"""Outcomes of answers as the page writes them."""

from analytics.queries.challenge_answers import AnswerOutcome

MARKS = {
    AnswerOutcome.RIGHT: "✓ right",
    AnswerOutcome.WRONG: "✗ wrong",
    AnswerOutcome.NO_ANSWER: "– no answer",
    AnswerOutcome.NOT_FINITE: "– not a number",
    AnswerOutcome.NOT_ASKED: "– not in the replay",
}
