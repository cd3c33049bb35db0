"""Starts a run when somebody uploads a file."""
