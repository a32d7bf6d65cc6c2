"""The HTML page as PDF, printed by a Chromium that is on the machine, with its own command line: no driver, no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.errors import KitError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync", "--disable-quic")
TIMEOUT_S = 120


def pdf_bytes(html: bytes) -> bytes:
    """`KitError` where there is no Chromium, or where it prints nothing."""
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        raise KitError(
            f"--pdf: no Chromium on PATH (looked for {', '.join(PROGRAMS)}); install one, or print the page of --html"
        )
    with TemporaryDirectory() as folder:
        page, printed = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_bytes(html)
        command = [program, *FLAGS, *_as_root(), f"--user-data-dir={folder}/profile"]
        try:
            done = subprocess.run(
                [*command, "--no-pdf-header-footer", f"--print-to-pdf={printed}", page.as_uri()],
                capture_output=True,
                text=True,
                timeout=TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise KitError(f"--pdf: {program} did not finish within {TIMEOUT_S} s") from None
        if done.returncode or not printed.exists():
            said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise KitError(f"--pdf: {program} printed nothing: {said}")
        return printed.read_bytes()


def _as_root() -> tuple[str, ...]:
    """Chromium refuses to run its sandbox as root, as which containers and CI often run; the page is our own and has no script
    from elsewhere."""
    return ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
