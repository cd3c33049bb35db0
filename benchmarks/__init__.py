"""Measures Claimflow's classifier against what a person would pick instead: `make benchmark`.

Its programs call the functions of AWS, too, whose root is `functions/`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "functions"))
