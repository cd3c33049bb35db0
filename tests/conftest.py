"""No test sees the AWS settings of the shell that starts it, a real account's or the local AWS's."""

import os

for name in [name for name in os.environ if name.startswith(("AWS_", "CLAIMFLOW_LOCAL_"))]:
    del os.environ[name]
