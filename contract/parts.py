"""What the functions have to know of the kinds of parts that a model is made of."""

NETWORKS = frozenset({"cnn", "lstm"})
"""The kinds that learn in epochs and leave checkpoints."""
