"""The state: what is kept of one that another version wrote, and the order of the steps that make it."""

import pytest

from contract import steps
from contract.errors import NAMES, NEVER_AGAIN, UserError
from contract.state import State, known


@pytest.mark.parametrize("document", [None, 7, "train", [], {}, {"run": None}, {"request": "train"}])
def test_nothing_is_known_of_what_is_no_state(document: object) -> None:
    assert known(document) == {}


def test_of_a_state_its_own_parts_are_known() -> None:
    document = {"run": {"id": "train-a-1"}, "again": {"step": "Train"}, "model": None}
    assert known(document) == {"run": {"id": "train-a-1"}}


def test_every_step_leaves_a_key_of_the_state_and_no_two_the_same() -> None:
    left = [step.leaves for step in steps.ORDER]
    assert set(left) <= set(State.__annotations__)
    assert len(set(left)) == len(left)


def test_what_a_user_did_wrong_is_never_tried_again() -> None:
    assert {kind.__name__ for kind in UserError.__subclasses__()} == NEVER_AGAIN
    assert NEVER_AGAIN < NAMES
