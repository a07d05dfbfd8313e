import pytest

from data.errors import RunError
from replay.candidates.huggingface_labels import roadwork_class


@pytest.mark.parametrize(
    ("labels", "chosen", "number"),
    [
        (["None", "Roadwork"], None, 1),
        (["ROADWORK", "NO_ROADWORK"], None, 0),
        (["noroadwork", "roadwork"], None, 1),
        (["RoadWork", "NoRoadWork"], None, 0),
        (["normal", "road works"], None, 1),
        (["work-zone", "background"], None, 0),
        (["under construction", "not under construction"], None, 0),
        (["without construction", "construction"], None, 1),
        (["roadwork"], None, 0),
        (["LABEL_0", "LABEL_1"], "LABEL_1", 1),
        (["LABEL_0", "LABEL_1"], "1", 1),
        (["LABEL_0"], "label_0", 0),
        (["1", "0"], "1", 0),
        (["cone", "crane", "roadwork"], "Crane", 1),
    ],
)
def test_the_class_that_means_roadwork_is_found_by_name_or_choice(
    labels: list[str], chosen: str | None, number: int
) -> None:
    assert roadwork_class(labels, chosen, "hf:x") == number


@pytest.mark.parametrize(
    ("labels", "chosen"),
    [
        (["LABEL_0", "LABEL_1"], None),
        (["LABEL_0"], None),
        (["no roadwork"], None),
        (["0", "1"], None),
        (["roadwork", "construction"], None),
        (["none", "normal"], None),
        (["roadwork", "cat"], None),
        (["roadwork", "none", "cat"], None),
        (["None", "Roadwork"], "LABEL_1"),
        (["None", "Roadwork"], "2"),
        (["None", "Roadwork"], ""),
        (["a", "A"], "a"),
    ],
)
def test_classes_that_leave_a_doubt_are_refused(labels: list[str], chosen: str | None) -> None:
    with pytest.raises(RunError, match=r"^classes of hf:x: found 0 = .*#LABEL or #NUMBER$"):
        roadwork_class(labels, chosen, "hf:x")
