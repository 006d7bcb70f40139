"""Benchmarks of osslcmp against C; see README.md."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # for what the tests share, support
