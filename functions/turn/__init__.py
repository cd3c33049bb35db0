"""Lets trainings begin in the order in which their runs did."""
