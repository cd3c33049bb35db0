"""Tells people of a run that ended without telling them itself."""
