"""``python -m recsysops`` is the command ``recsysops``."""

from __future__ import annotations

import sys

from recsysops.cli import main

if __name__ == "__main__":
    sys.exit(main())
