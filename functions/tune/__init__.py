"""Plans the trials of a tuning, and chooses the best of them."""
