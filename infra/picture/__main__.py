"""`python -m infra.picture CDK_OUT SVG`."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.errors import KitError
from infra.picture.drawing import draw
from infra.picture.graph import read_graph


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m infra.picture CDK_OUT SVG\n")
        return 2
    try:
        picture = draw(read_graph(Path(arguments[0])))
        Path(arguments[1]).write_text(picture)
    except KitError as error:
        sys.stderr.write(f"crossover: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
