"""Claimflow in Python, for notebooks and programs: a model, and what it says of the texts of a table.

    import claimflow, pandas

    model = claimflow.load("live")                     # or "models/7", or the path of a model.tar.gz
    claims = pandas.read_csv("claims.csv")
    labelled = claims.join(model.predict(claims))      # as a run labels them
    model.evaluate(claims).summary                     # where the table has the categories
    claimflow.compare(model, other, claims).differing  # what two models say differently

Texts go nowhere but to the model: they are labelled in this process.
"""

from claimflow.comparison import Comparison, compare
from claimflow.errors import ClaimflowError
from claimflow.evaluation import Evaluation
from claimflow.loading import load
from claimflow.local_aws import use_local_aws
from claimflow.model import Model

__all__ = ["ClaimflowError", "Comparison", "Evaluation", "Model", "compare", "load", "use_local_aws"]
