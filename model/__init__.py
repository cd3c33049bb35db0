"""The classifier, from configuration and text to predictions and report. Knows nothing of AWS."""

__version__ = "0.1.0"
