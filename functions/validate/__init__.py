"""Checks the files of a run, row by row, and cuts them up for training and prediction."""
