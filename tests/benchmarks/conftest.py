"""The benchmarks are run from the project's root; they are no part of the package that is installed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
