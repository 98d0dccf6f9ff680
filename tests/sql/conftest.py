"""Makes ``case.py`` of this folder importable, behind our packages: the folders here are named like them."""

import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path[:0] = [str(FOLDER.parent.parent), str(FOLDER)]
