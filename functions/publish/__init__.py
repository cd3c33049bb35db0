"""Keeps the files of the live model at fixed addresses."""
