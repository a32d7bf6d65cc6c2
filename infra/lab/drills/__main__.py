"""`python -m infra.lab.drills …` is `crossover lab drill …`."""

from __future__ import annotations

import sys

from infra.cli import main

if __name__ == "__main__":
    main(["lab", "drill", *sys.argv[1:]])
