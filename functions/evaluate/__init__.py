"""Reads what a training wrote about its model."""
