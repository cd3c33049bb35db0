"""Puts the predicted parts and the input back together."""
