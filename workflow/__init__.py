"""The state machine, and the command line that deploys and drives it."""
