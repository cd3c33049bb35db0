"""Checks a request and gathers what the run needs."""
