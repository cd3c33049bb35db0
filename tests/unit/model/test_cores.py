"""Work on all cores: in order, few pieces at a time, and an error in a process is told."""

import os
from collections.abc import Iterator

import pytest

from model.cores import available_cores, on_all_cores


@pytest.fixture(autouse=True, params=[1, 3])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """As many cores as this machine seems to have."""
    monkeypatch.setattr("model.cores.available_cores", lambda: request.param)
    return int(request.param)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_what_was_made_of_the_pieces_comes_in_their_order(count: int) -> None:
    assert list(on_all_cores(lambda piece: piece * piece, iter(range(count)))) == [
        n * n for n in range(count)
    ]


def test_several_pieces_are_worked_on_in_other_processes_and_a_single_one_here(cores: int) -> None:
    here = os.getpid()
    assert set(on_all_cores(lambda _: os.getpid(), iter([0]))) == {here}
    others = set(on_all_cores(lambda _: os.getpid(), iter(range(30))))
    assert (others == {here}) == (cores == 1)
    assert (here in others) == (cores == 1)


def test_few_pieces_are_taken_ahead_of_what_is_given(cores: int) -> None:
    taken = 0

    def pieces() -> Iterator[int]:
        nonlocal taken
        for piece in range(100):
            taken += 1
            yield piece

    made = on_all_cores(lambda piece: piece, pieces())
    for given, piece in enumerate(made):
        assert piece == given
        assert taken <= given + 2 * cores + 2


def refuse(piece: int) -> int:
    if piece == 7:
        raise ValueError("piece 7 cannot be worked on")
    return piece


def test_an_error_is_told_after_what_came_before_it() -> None:
    made = on_all_cores(refuse, iter(range(100)))
    given = []
    with pytest.raises(ValueError, match="piece 7 cannot be worked on"):
        given.extend(made)
    assert given == list(range(7))


def die(piece: int) -> int:
    os._exit(piece)


def test_a_process_that_is_killed_is_told(cores: int) -> None:
    if cores > 1:
        with pytest.raises(RuntimeError, match="process"):
            list(on_all_cores(die, iter(range(1, 10))))


def test_pieces_that_cannot_be_read_are_told() -> None:
    def pieces() -> Iterator[int]:
        yield from range(5)
        raise ValueError("no sixth piece")

    with pytest.raises(ValueError, match="no sixth piece"):
        list(on_all_cores(lambda piece: piece, pieces()))


def test_work_that_is_left_half_done_ends() -> None:
    made = on_all_cores(lambda piece: piece, iter(range(100)))
    assert next(iter(made)) == 0
    made.close()  # type: ignore[attr-defined]


def test_there_is_at_least_one_core() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
