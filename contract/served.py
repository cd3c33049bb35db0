"""What the image's program `serve` and the registry both say of a model that answers requests."""

CSV, JSON_LINES, JSON = "text/csv", "application/jsonlines", "application/json"
SERVED_TYPES = (CSV, JSON_LINES, JSON)
"""What a request may hold and an answer may be."""

TARGET_VARIABLE = "CLAIMFLOW_TARGET_PRECISION"
"""The environment variable with a version's target precision, where it is not the model's own."""
