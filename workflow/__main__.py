"""`python -m workflow`: the command line."""

import sys

try:
    from workflow.cli import main
except KeyboardInterrupt:  # the imports take a moment
    sys.exit(130)

if __name__ == "__main__":
    main()
