"""`--service FOLDER`, for every command that bundles: a service of the user's own in place of the search service."""

from __future__ import annotations

from pathlib import Path

import click

from infra.own_service import OwnService, load_service


def _load(_: click.Context, __: click.Parameter, folder: Path | None) -> OwnService | None:
    return None if folder is None else load_service(folder)


service_option = click.option(
    "--service",
    type=click.Path(path_type=Path),
    callback=_load,
    metavar="FOLDER",
    help="A service of your own, see docs/bring-your-own-service.md.  [default: the hotel search]",
)
