"""The desk: the web application in which claims workers and data scientists work with Claimflow.

Each module holds the pages of one task; `app` puts them together, `guard` decides who gets in, and `server`
serves them on the loopback address with the AWS credentials of whoever started it.
"""
