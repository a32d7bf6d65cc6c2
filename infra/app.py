"""The CDK app, as `cdk.json` starts it: settings from the CDK context, the bundle, the stage's stacks.

`cdk synth -c stage=prod -c lambda_lane.memory_mb=2048`: the stage's values are in `stages.toml` (`-c stages=FILE` for another
file), and every key of `infra.overrides.settable()` can be set besides.

The settings are read, and the bundle is looked after, while CDK's library starts: that is what synthesis waits for. cdk.json
starts Python with -O, which leaves out the library's own check of every argument's type; mypy has checked them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from infra.bundle import Bundle, BundleTarget, ensure_bundle
from infra.config import DEFAULT_STAGE, Stage
from infra.deploying.cdk_cli import require_cli_version, require_node
from infra.errors import KitError
from infra.own_service import OwnService, load_service
from infra.stage_file import DEFAULT_FILE, load_stage
from infra.switcher_code import build_switcher


def given_context(environment: Mapping[str, str]) -> dict[str, object]:
    """The context that the CDK CLI hands over: in a variable, and in a file what is too long for one (CDK's `app.ts`)."""
    context: dict[str, object] = json.loads(environment.get("CDK_CONTEXT_JSON", "{}"))
    overflow = environment.get("CONTEXT_OVERFLOW_LOCATION_ENV")
    return context | json.loads(Path(overflow).read_text()) if overflow else context


def settings(context: Mapping[str, object]) -> dict[str, object]:
    """The context's entries that are ours: CDK's own have a colon in them (`@aws-cdk/core:...`, `aws:cdk:...`)."""
    return {key: value for key, value in context.items() if ":" not in key and key != "cli-telemetry"}


def warnings(stage: Stage, service: OwnService | None, environment: Mapping[str, str]) -> list[str]:
    """What can be synthesized, and will not do when it is deployed."""
    said = []
    if service is None and stage.suppliers_url == DEFAULT_STAGE.suppliers_url:
        said.append(f"suppliers_url is still {stage.suppliers_url}, where no supplier answers; give -c suppliers_url=…")
    current = environment.get("CDK_DEFAULT_ACCOUNT")
    if stage.account and current and current != stage.account:
        said.append(
            f"stage {stage.name} belongs to account {stage.account} and these credentials to {current}: "
            "deploying it with them is refused"
        )
    return said


def synthesize() -> None:
    """Write the cloud assembly where the CDK CLI asks for it, or to `cdk.out`."""
    require_node()
    require_cli_version(os.environ.get("CDK_CLI_VERSION"))
    given = settings(given_context(os.environ))
    stage = load_stage(given, Path(str(given.pop("stages", DEFAULT_FILE))))
    service = load_service(Path(stage.service)) if stage.service else None
    for warning in warnings(stage, service, os.environ):
        _say(f"warning: {warning}")
    with ThreadPoolExecutor(1) as beside:
        bundle = beside.submit(ensure_bundle, BundleTarget(stage.python, stage.architecture), service=service, progress=_say)
        _import_library()
        _assemble(stage, service, bundle.result())


def _import_library() -> None:
    """Starts Node and imports what the stacks are made of, which takes as long as it takes Python to read it."""
    # CDK's library warns on every start once a Node release is past its end of life; 20 is what this project supports.
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "20")
    import infra.stacks.assembly  # noqa: F401


def _assemble(stage: Stage, service: OwnService | None, bundle: Bundle) -> None:
    from aws_cdk import App

    from infra.components.release import Release
    from infra.stacks.assembly import assemble

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
        switcher=build_switcher(BundleTarget(stage.python, stage.architecture)) if stage.switch.scheduled else None,
    )
    app = App(outdir=os.environ.get("CDK_OUTDIR", "cdk.out"))
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
