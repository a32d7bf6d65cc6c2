"""Reading gigabytes of a load balancer's access log: the kit's two readers beside DuckDB, in seconds, CPU and peak memory.

    python -m benchmarks.logs [--quick] [--gb 10] [--gzip] [--folder DIR] [--json benchmarks/out/logs.json]

Writes a log of that size (entries of the real shape, 11,667 a second, in one file), reads it by each in a process of its own,
and deletes it: requests a minute as `--traffic` takes them, DuckDB doing the same within 500 MB, and every figure that
`measure --from-logs` takes. All must agree on the number of entries. Exit code 0: measured; 1: cannot (says why).
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.command import OUT, run, say, write
from infra.errors import KitError

MOST_MIB = 500
BLOCK = 20_000
MINUTE = b"2000-01-01T00:00"
ENTRY = (
    "https {minute}:{second:02}.{micro:06}Z app/search/50dc6c495c0c9188 192.0.2.{a}:{port} 10.40.{b}.7:8000 0.000 {took:.3f} "
    '0.000 200 200 {received} {sent} "GET https://search.example.com:443/search?place=LIS&check_in=2027-03-01&check_out=2027-03-04'
    '&adults=2&currency=EUR HTTP/1.1" "Mozilla/5.0 (X11; Linux x86_64) agent/1.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 '
    "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/search/73e2d6bc24d8a067 "
    '"Root=1-58337281-{number:024x}" "search.example.com" "arn:aws:acm:us-east-1:111122223333:certificate/12345678" 0 '
    '{minute}:{second:02}.{micro:06}Z "forward" "-" "-" "10.40.{b}.7:8000" "200" "-" "-"\n'
)
TOLD = "import json; from pathlib import Path; path = Path({path!r})\n"
END = (
    "import time; status = dict(line.split(':', 1) for line in open('/proc/self/status') if ':' in line)\n"
    "print(json.dumps({'entries': entries, 'cpu_s': time.process_time(), 'mib': int(status['VmHWM'].split()[0]) / 1024}))"
)
READERS = {
    "requests a minute (--traffic)": (
        "from infra.cost.traffic.file import load_traffic\nentries = load_traffic(path).parameters['entries']\n"
    ),
    "the same by DuckDB": (
        "import duckdb\n"
        "db = duckdb.connect(config={'memory_limit': '400MB', 'threads': 2})\n"
        "db.execute('SET enable_progress_bar = false')\n"
        "rows = db.execute(\"SELECT substr(split_part(line, ' ', 2), 1, 16), count(*) FROM read_csv('\" + str(path) + \"', "
        "columns = {'line': 'VARCHAR'}, delim = chr(1), quote = '', escape = '', header = false) GROUP BY 1\").fetchall()\n"
        "entries = sum(count for _, count in rows)\n"
    ),
    "every figure (measure --from-logs)": (
        "from infra.cost.live.logs import read_logs\nentries = read_logs([path])['container'].target_ms.count\n"
    ),
}


def block() -> bytes:
    """Entries of one minute that stands for any."""
    rng = random.Random(1)
    lines = (
        ENTRY.format(
            minute=MINUTE.decode(),
            second=number * 60 // BLOCK,
            micro=number % 1_000_000,
            a=rng.randrange(256),
            b=rng.randrange(256),
            port=rng.randrange(1_024, 65_536),
            took=rng.lognormvariate(-1, 0.6),
            received=rng.randrange(200, 600),
            sent=rng.randrange(5_000, 30_000),
            number=number,
        )
        for number in range(BLOCK)
    )
    return "".join(lines).encode()


def write_log(path: Path, size: float) -> int:
    """A log of at least so many bytes, unpacked; how many entries it has."""
    one, written, entries = block(), 0, 0
    start = datetime(2026, 1, 31, tzinfo=UTC)
    with gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as file:
        while written < size:
            minute = start + timedelta(minutes=entries // (BLOCK * 35))  # 35 blocks a minute: 11,667 a second
            file.write(one.replace(MINUTE, f"{minute:%Y-%m-%dT%H:%M}".encode()))
            written, entries = written + len(one), entries + BLOCK
    return entries


def read(path: Path, reader: str) -> dict[str, float]:
    """Seconds, CPU seconds and peak memory of a process that reads the log. Raises `KitError`."""
    began = time.monotonic()
    program = TOLD.format(path=str(path)) + READERS[reader] + END
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KitError(f"{reader}: {done.stderr.strip().splitlines()[-1]}")
    told: dict[str, float] = json.loads(done.stdout)
    return {"seconds": round(time.monotonic() - began, 3), **told}


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    size = (0.2 if options.quick else options.gb) * 1e9
    try:
        with tempfile.TemporaryDirectory(prefix="crossover-logs-", dir=options.folder) as folder:
            free = shutil.disk_usage(folder).free
            if free < 1.2 * size:
                raise KitError(
                    f"{folder}: {free / 1e9:.0f} GB are free, {1.2 * size / 1e9:.0f} are needed; name another --folder"
                )
            path = Path(folder) / ("access.log.gz" if options.gzip else "access.log")
            entries = write_log(path, size)
            say(f"{entries:,} entries written, {path.stat().st_size / 1e9:.2f} GB")
            rows = [{"reader": name, **read(path, name)} for name in READERS]
            on_disk = path.stat().st_size
        if any(row["entries"] != entries for row in rows):
            raise KitError(f"not everybody read {entries:,} entries: {rows}")
    except (KitError, OSError) as error:
        say(f"logs: {error}")
        return 1
    document = {"benchmark": "logs", "machine": machine.describe(), "bytes": size, "on_disk": on_disk, "rows": rows}
    _print(rows, size)
    write(document, options.json)
    return 0


def _print(rows: Sequence[dict[str, Any]], size: float) -> None:
    table = Table(title=f"An access log of {size / 1e9:g} GB")
    for column in ("reader", "seconds", "CPU s", "peak MiB", "GB/min"):
        table.add_column(column, justify="left" if column == "reader" else "right")
    for row in rows:
        rate = size / 1e9 / row["seconds"] * 60
        table.add_row(row["reader"], f"{row['seconds']:.1f}", f"{row['cpu_s']:.1f}", f"{row['mib']:.0f}", f"{rate:.1f}")
    Console().print(table)
    over = [row["reader"] for row in rows if row["mib"] > MOST_MIB]
    say(f"over {MOST_MIB} MiB: {', '.join(over)}" if over else f"each within {MOST_MIB} MiB")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.logs", description="Reading gigabytes of an access log.")
    parser.add_argument("--quick", action="store_true", help="200 MB")
    parser.add_argument("--gb", type=float, default=10.0, help="size of the log, unpacked (default %(default)s)")
    parser.add_argument("--gzip", action="store_true", help="pack it")
    parser.add_argument("--folder", type=Path, help="where to write it (default: the system's folder for temporary files)")
    parser.add_argument("--json", type=Path, default=OUT / "logs.json", help="where to write the figures (default %(default)s)")
    options = parser.parse_args(arguments)
    if not 0.001 <= options.gb <= 1_000:
        parser.error(f"--gb: must be 0.001 to 1000, got {options.gb:g}")
    return options


if __name__ == "__main__":
    run(main)
