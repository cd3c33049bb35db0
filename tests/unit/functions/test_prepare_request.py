"""prepare: what a request may be, and what is said about one that it may not be."""

import pytest

from contract.errors import InvalidRequest
from prepare import request
from shared.storage import Location

TRAIN = {"action": "train", "data": "s3://bkt/train/a.csv"}


def problems(document: object) -> str:
    with pytest.raises(InvalidRequest) as error:
        request.parse(document)
    return str(error.value)


def test_a_whole_request_is_understood() -> None:
    parsed = request.parse(TRAIN | {"version": "v", "predict": "s3://bkt/p.csv", "config": "s3://bkt/c.json"})
    assert parsed.data == (Location("bkt", "train/a.csv"),)
    assert parsed.predict == Location("bkt", "p.csv")
    assert parsed.config == Location("bkt", "c.json")
    assert parsed.versions == ("v",)


def test_null_means_not_given() -> None:
    parsed = request.parse(TRAIN | {"version": None, "predict": None, "config": None, "replace": None})
    assert (parsed.versions, parsed.predict, parsed.config, parsed.replace) == ((None,), None, None, False)


def test_a_training_may_take_several_files_each_in_its_version() -> None:
    several = TRAIN | {"data": ["s3://bkt/a.csv", "s3://bkt/b.csv"]}
    assert request.parse(several).data == (Location("bkt", "a.csv"), Location("bkt", "b.csv"))
    assert request.parse(several).versions == (None, None)
    assert request.parse(several | {"version": ["1", None]}).versions == ("1", None)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": []}, "'data' has 0 files; it may have 1 to 20"),
        ({"data": [f"s3://bkt/{n}.csv" for n in range(21)]}, "'data' has 21 files; it may have 1 to 20"),
        ({"data": ["s3://bkt/a.csv", 7]}, "'data[1]' is a number; it must be text of the form"),
        ({"data": ["s3://bkt/a.csv", None]}, "'data[1]' is ''; it must be of the form s3://bucket/key"),
        ({"data": ["s3://bkt/a.csv"] * 2}, "'data' names s3://bkt/a.csv more than once"),
        ({"data": ["s3://bkt/a.csv"], "action": "predict"}, "'data' is a list; only a training takes"),
        ({"data": ["s3://bkt/a.csv"], "version": "v"}, "or a list for a list"),
        ({"version": ["v"]}, "'version' is a list; it must be the S3 version of 'data', as text"),
        ({"data": ["s3://bkt/a.csv"], "version": ["v", "w"]}, "as many entries as 'data'"),
        ({"data": ["s3://bkt/a.csv"], "version": [7]}, "'version' is a number"),
        ({"data": ["s3://bkt/a.csv"], "version": ["v" * 1025]}, "'version' is longer than 1,024"),
    ],
)
def test_what_is_wrong_with_several_files_is_told(changed: dict[str, object], said: str) -> None:
    assert said in problems(TRAIN | changed)


def test_a_training_may_say_up_to_when_decisions_are_in_its_last_file() -> None:
    until = "2026-11-27T01:00:00+00:00"
    assert request.parse(TRAIN | {"decided_until": until}).decided_until == until
    said = problems(TRAIN | {"action": "predict", "decided_until": 7})
    assert "'decided_until' is a number; it must be a time such as 2026-11-27T09:30:00+00:00" in said
    assert "'decided_until' goes with the action 'train' only" in said
    for other in ("soon", "2026-11-27T09:30:00"):
        assert f"'decided_until' is '{other}'; it must be a time" in problems(
            TRAIN | {"decided_until": other}
        )


def test_a_training_may_let_categories_go_and_a_prediction_has_none_to_lose() -> None:
    assert request.parse(TRAIN | {"replace": True}).replace is True
    said = problems(TRAIN | {"action": "predict", "replace": True})
    assert "'replace' goes with the action 'train' only; leave it out" in said
    assert "'replace' is text; it must be true or false" in problems(TRAIN | {"replace": "yes"})


@pytest.mark.parametrize(
    ("document", "kind"),
    [(None, "null"), ([], "a list"), ("train", "text"), (3, "a number"), (True, "true or false")],
)
def test_a_request_must_be_an_object(document: object, kind: str) -> None:
    assert problems(document).startswith(f"The request is {kind}; it must be an object")


def test_every_problem_is_told_at_once() -> None:
    said = problems(
        {"action": "fly", "data": 7, "version": 3, "config": 4, "dta": 1, "predict": "a.csv", "started_by": 1}
    )
    for part in (
        "'dta'",
        "'action' is 'fly'",
        "'data' is a number",
        "'version' is a number",
        "'config' is a number",
        "'started_by' is a number",
    ):
        assert part in said
    assert "'predict' is 'a.csv'; it must be of the form s3://bucket/key" in said


@pytest.mark.parametrize(
    "uri", ["", "a.csv", "s3://b", "s3://bkt/", "s3:///k", "https://b/k", "file:///etc/passwd", "s3:/b/k"]
)
def test_an_address_must_be_an_s3_uri(uri: str) -> None:
    assert "'data' is" in problems({"action": "train", "data": uri})


def test_an_empty_request_names_both_keys_that_it_needs() -> None:
    said = problems({})
    assert "'action' is missing" in said
    assert "'data' is missing" in said


def test_data_that_is_null_is_a_problem() -> None:
    assert "'data' is null" in problems({"action": "train", "data": None})


def test_predict_goes_with_train_only() -> None:
    assert "goes with the action 'train' only" in problems(
        {"action": "predict", "data": "s3://bkt/a.csv", "predict": "s3://bkt/a.csv"}
    )


@pytest.mark.parametrize("action", [None, 3, [], {}])
def test_an_action_of_another_type_is_a_problem(action: object) -> None:
    assert "'action' is" in problems({"action": action, "data": "s3://bkt/k"})


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        (
            "s3://BAD_bucket!/x",
            "'data' is 's3://BAD_bucket!/x'; a bucket's name has 3 to 63 lower-case letters",
        ),
        (f"s3://{'b' * 300}/x", "a bucket's name has 3 to 63"),
        ("s3://ab/x", "a bucket's name has 3 to 63"),
        ("s3://bkt/", "it must be of the form s3://bucket/key"),
        (f"s3://bkt/{'ü' * 513}", "a key has at most 1,024 bytes, and this one has 1,026"),
        ("s3://bkt/a\ud800.csv", "it holds half a character"),
    ],
)
def test_what_s3_would_refuse_is_refused_in_one_short_sentence(uri: str, said: str) -> None:
    for key in ("data", "predict", "config"):
        sentence = problems(TRAIN | {key: uri})
        assert said.replace("'data'", f"'{key}'") in sentence
        assert len(sentence.encode()) < 300


def test_half_a_character_elsewhere_is_refused_too() -> None:
    said = problems({"action": "\ud800", "data": "s3://bkt/a.csv", "version": "\ud800", "\ud800": 1})
    assert "'version' is text; it must be the S3 version" in said
    assert said.encode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trials": 0}, "'trials' is 0; it must be a whole number from 1 to 100"),
        ({"trials": 101}, "'trials' is 101; it must be"),
        ({"trials": True}, "'trials' is True; it must be"),
        ({"trials": "20"}, "'trials' is text; it must be"),
        ({"max_minutes": 1}, "'max_minutes' is 1; it must be a whole number from 2 to 1,440"),
        ({"max_minutes": 2.5}, "'max_minutes' is 2.5; it must be"),
    ],
)
def test_limits_of_a_tuning_that_cannot_be_are_refused(given: dict[str, object], said: str) -> None:
    assert said in problems(TRAIN | {"action": "tune"} | given)


def test_limits_go_with_a_tuning_only() -> None:
    assert "'trials' goes with the action 'tune' only" in problems(TRAIN | {"trials": 5})


def test_a_tuning_without_limits_has_the_usual_ones() -> None:
    asked = request.parse(TRAIN | {"action": "tune"})
    assert (asked.trials, asked.max_minutes) == (20, 60)
