"""Reads what people have: which format a file is in is found by its content, and said."""
