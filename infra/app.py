"""The CDK app, as `cdk.json` starts it: settings from the CDK context, the bundle, the stacks.

`cdk synth -c stage=prod -c lambda_lane.memory_mb=2048`: the stage's values are in `stages.toml` (`-c stages=FILE` for another
file), and every key of `infra.overrides.settable()` can be set besides.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from infra.bundle import BundleTarget, ensure_bundle
from infra.config import DEFAULT_STAGE
from infra.errors import KitError
from infra.own_service import load_service
from infra.stage_file import DEFAULT_FILE, load_stage

OLDEST_NODE = 20


def require_node() -> None:
    """CDK's Python library runs on Node; raises `KitError` where Node is missing or too old."""
    node = shutil.which("node")
    if node is None:
        raise KitError(f"synth and deploy need Node {OLDEST_NODE} or newer on PATH, and there is none")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    major = version.lstrip("v").partition(".")[0]
    if not major.isdigit() or int(major) < OLDEST_NODE:
        raise KitError(f"synth and deploy need Node {OLDEST_NODE} or newer, {node} is {version or 'not answering'}")


def settings(context: Mapping[str, object]) -> dict[str, object]:
    """The context's entries that are ours: CDK's own have a colon in them (`@aws-cdk/core:...`, `aws:cdk:...`)."""
    return {key: value for key, value in context.items() if ":" not in key and key != "cli-telemetry"}


def synthesize() -> None:
    """Write the cloud assembly where the CDK CLI asks for it, or to `cdk.out`."""
    require_node()
    # CDK's library warns on every start once a Node release is past its end of life; 20 is what this project supports.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    from aws_cdk import App

    from infra.components.release import Release
    from infra.stacks.assembly import assemble

    app = App(outdir=os.environ.get("CDK_OUTDIR", "cdk.out"))
    given = settings(app.node.get_all_context())
    stage = load_stage(given, Path(str(given.pop("stages", DEFAULT_FILE))))
    service = load_service(Path(stage.service)) if stage.service else None
    if service is None and stage.suppliers_url == DEFAULT_STAGE.suppliers_url:
        _say(f"warning: suppliers_url is still {stage.suppliers_url}, where no supplier answers; give -c suppliers_url=…")
    bundle = ensure_bundle(BundleTarget(stage.python, stage.architecture), service=service, progress=_say)
    for warning in bundle.warnings:
        _say(f"warning: {warning}")
    release = Release(
        zip_path=bundle.zip,
        sha256=bundle.sha256,
        git_revision=bundle.git_revision,
        suppliers_url=stage.suppliers_url,
        secret=stage.secret,
        search=stage.search,
        own_environment=service.environment if service else {},
    )
    assemble(app, stage, release)
    app.synth()


def _say(text: str) -> None:
    print(f"crossover: {text}", file=sys.stderr)  # noqa: T201 - standard output belongs to the CDK CLI


def main() -> None:
    """Entry point: what the user got wrong becomes one line on standard error and the error's exit code."""
    try:
        synthesize()
    except KitError as error:
        _say(str(error))
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
