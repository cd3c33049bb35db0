"""Erasure: finds the rows of a claim wherever they lie, and deletes them in all versions.

`tables` and `sheets` read files so that all other rows stay byte for byte, `quotes` knows documents that show
texts, `claims` holds what was found, `versions` is S3, `files` says what becomes of which file, and `erasure`
goes through all of them.
"""
