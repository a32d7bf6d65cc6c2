"""`python -m secret_values --write FILE`: the secret's values as an environment file, for the container lane's systemd."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from secret_values.environment_file import write
from secret_values.errors import SecretError
from secret_values.fetch import fetch
from secret_values.values import unset_ones

DESCRIPTION = """\
Read the secrets that CROSSOVER_SECRET names (names or ARNs, with commas between them) from AWS Secrets Manager and write their
values to FILE as systemd's EnvironmentFile= reads them, readable by their owner only. Variables that the environment sets
already are left out. The region is the ARN's, or AWS_REGION's; credentials are the environment's, or the instance's role.
"""
EPILOG = """\
exit codes: 0 written, 1 the secret cannot be read or is not a JSON object of text, 2 a wrong setting or argument

example: CROSSOVER_SECRET=prod/suppliers AWS_REGION=us-east-1 python -m secret_values --write /run/crossover/secrets
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code; a failure is one line on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m secret_values",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", type=Path, required=True, metavar="FILE", help="where to; an old file there is replaced")
    path = parser.parse_args(arguments).write
    try:
        values = fetch(os.environ)
        written = unset_ones(values, os.environ)
        write(path, written)
    except SecretError as error:
        print(f"secret_values: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    left_out = f"; the environment sets the other {len(values) - len(written)}" if len(values) > len(written) else ""
    print(f"secret_values: wrote {len(written)} of {len(values)} values to {path}{left_out}", file=sys.stderr)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
