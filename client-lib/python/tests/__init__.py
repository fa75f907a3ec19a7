"""Tests of the client: `python3 -m unittest discover -t . -s tests`, from the package's folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
