"""`python -m workflow`: the command line."""

from workflow.cli import main

main()
