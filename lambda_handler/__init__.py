"""The Lambda lane's entry point, see `handler.py`. Runs before it is imported, and keeps the cold start short."""

import sys

# httpx imports its command line, and click for it, unless they are missing: 10 ms of every cold start.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
