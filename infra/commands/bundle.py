"""`crossover bundle`: build the one artifact that both lanes run."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from infra.bundle import PYTHONS, Bundle, BundleTarget, build_bundle, ensure_bundle, local_target
from infra.commands.own_service import service_option
from infra.config import DEFAULT_STAGE
from infra.errors import InputError
from infra.own_service import OwnService
from infra.wheels import PLATFORMS


@click.command("bundle")
@click.option("--arch", type=click.Choice([*PLATFORMS]), help=f"Architecture [default: {DEFAULT_STAGE.architecture}]")
@click.option("--python", type=click.Choice(PYTHONS), help=f"Python minor version [default: {DEFAULT_STAGE.python}]")
@click.option("--local", is_flag=True, help="Build for this machine, as the lab and the demo do.")
@service_option
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder to build in.  [default: out/bundle]")
@click.option("--sbom", "sbom_file", type=click.Path(path_type=Path, dir_okay=False), help="Write its parts as CycloneDX JSON.")
@click.option("--force", is_flag=True, help="Build anew even when nothing changed.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    arch: str | None,
    python: str | None,
    local: bool,
    service: OwnService | None,
    out: Path | None,
    sbom_file: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Build the bundle: the service and its locked, hashed wheels, reproducible to the byte.

    \b
    Examples:
      crossover bundle                          # what `cdk deploy` uploads
      crossover bundle --arch x86_64 --python 3.12
      crossover bundle --local --json
      crossover bundle --sbom out/bundle.cdx.json
      crossover bundle --service path/to/your/service
    """
    if local and (arch or python):
        raise click.UsageError("--local chooses --arch and --python by itself")
    target = local_target() if local else BundleTarget(python or DEFAULT_STAGE.python, arch or DEFAULT_STAGE.architecture)
    make = build_bundle if force else ensure_bundle
    bundle = make(target, service=service, out=out, progress=lambda step: click.echo(f"bundle: {step}", err=True))
    for warning in bundle.warnings:
        click.echo(f"bundle: warning: {warning}", err=True)
    if sbom_file is not None:
        _write_sbom(bundle, sbom_file)
    click.echo(json.dumps(as_dict(bundle), indent=2) if as_json else _summary(bundle))


def _write_sbom(bundle: Bundle, file: Path) -> None:
    from infra.sbom import sbom  # the library's models take half a second

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(sbom(bundle), encoding="utf-8")
    except OSError as error:
        raise InputError(f"--sbom {file}: cannot be written ({error.strerror})") from None
    click.echo(f"bundle: its parts stand in {file}", err=True)


def as_dict(bundle: Bundle) -> dict[str, object]:
    """What `--json` prints: paths, digest, sizes in bytes, target."""
    return {
        "path": os.fspath(bundle.zip),
        "sha256": bundle.sha256,
        "zip_bytes": bundle.zip_bytes,
        "unzipped_bytes": bundle.unzipped_bytes,
        "tree": os.fspath(bundle.tree),
        "python": bundle.target.python,
        "architecture": bundle.target.architecture,
        "byte_compiled": bundle.byte_compiled,
        "git_revision": bundle.git_revision,
        "warnings": list(bundle.warnings),
    }


def _summary(bundle: Bundle) -> str:
    return (
        f"{bundle.zip}\n  sha256   {bundle.sha256}\n  zip      {bundle.zip_bytes / 2**20:.1f} MB"
        f"\n  unzipped {bundle.unzipped_bytes / 2**20:.1f} MB\n  target   {bundle.target}"
    )
