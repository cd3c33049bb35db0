"""Says in one sentence why a run failed."""
