"""Measures Claimflow's classifier against what a person would pick instead: `make benchmark`."""
