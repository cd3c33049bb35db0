"""evaluation.json: the figures of the contract, checked on a case small enough to count by hand."""

import json

import numpy as np
import pytest

from model.evaluation import Evaluation, Measured, decision, evaluate

LABELS = ["a", "b", "c"]
# True labels and predictions: a is right twice and taken for b once, b is right once, c never appears.
TRUTHS = np.array([0, 0, 0, 1])
LOGITS = np.array([[3, 0, 0], [3, 0, 0], [0, 3, 0], [0, 3, 0]], dtype=np.float32)


@pytest.fixture
def figures() -> Evaluation:
    measured = Measured(LOGITS, TRUTHS, np.ones(4))
    return evaluate(measured, LABELS, 0.98, 0.5, {"architecture": "textcnn"})[0]


def test_the_keys_are_those_of_the_contract(figures: Evaluation) -> None:
    assert set(figures) == {
        "schema",
        "accuracy",
        "validation_rows",
        "macro_f1",
        "labels",
        "per_class",
        "confusion",
        "calibration",
        "acceptance",
        "champion",
        "training",
    }
    assert set(figures["calibration"]) == {"temperature", "ece_before", "ece_after", "bins"}
    assert set(figures["acceptance"]) >= {"target_precision", "threshold", "coverage", "precision"}
    json.dumps(figures, allow_nan=False)


def test_accuracy_confusion_and_rows_are_counted(figures: Evaluation) -> None:
    assert figures["accuracy"] == 0.75
    assert figures["validation_rows"] == 4
    assert figures["confusion"] == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]


def test_each_label_has_precision_recall_and_f1_and_a_label_never_seen_has_zeros(figures: Evaluation) -> None:
    a, b, c = figures["per_class"]
    assert a == {"label": "a", "precision": 1.0, "recall": 0.666667, "f1": 0.8, "support": 3}
    assert b == {"label": "b", "precision": 0.5, "recall": 1.0, "f1": 0.666667, "support": 1}
    assert c == {"label": "c", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    assert figures["macro_f1"] == pytest.approx((0.8 + 0.666667) / 3, abs=1e-6)


def test_too_few_rows_accept_nothing(figures: Evaluation) -> None:
    assert figures["acceptance"]["threshold"] is None
    assert figures["acceptance"]["coverage"] == 0


def test_the_champion_is_null_when_there_is_none(figures: Evaluation) -> None:
    assert figures["champion"] == {"accuracy": 0.5}
    assert evaluate(Measured(LOGITS, TRUTHS, np.ones(4)), LABELS, 0.98, None, {})[0]["champion"] is None


def test_the_decision_rule_can_be_read_back() -> None:
    figures, rule = evaluate(Measured(LOGITS, TRUTHS, np.ones(4)), LABELS, 0.98, None, {})
    assert decision(json.loads(json.dumps(figures))) == rule
