"""A synthesized assembly (`cdk.out`): which stacks it deploys, and whether it still holds the bundle of the sources."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.bundle import BundleTarget, bundle_at_hand
from infra.config import Stage
from infra.deploying.stacks import is_of_stage
from infra.errors import InputError
from infra.own_service import load_service

# As the function's environment and the instances' user data have it.
DIGEST = re.compile(r'CROSSOVER_BUNDLE_SHA256(?:"\s*:\s*"|=)([0-9a-f]{64})')


@dataclass(frozen=True, slots=True)
class SynthesizedAssembly:
    """`stacks` maps names to descriptions, in the order in which they are deployed; `digest` is the bundle's that they name."""

    folder: Path
    stacks: dict[str, str]
    digest: str | None

    def stacks_of(self, stage: str) -> list[str]:
        """Names of this stage's stacks."""
        return [name for name, description in self.stacks.items() if is_of_stage(description, stage)]


def read_assembly(folder: Path) -> SynthesizedAssembly:
    """Raises `InputError` where `folder` holds no assembly."""
    manifest_file = folder / "manifest.json"
    try:
        artifacts: dict[str, Any] = json.loads(manifest_file.read_bytes())["artifacts"]
        stacks = {name: body for name, body in artifacts.items() if body["type"] == "aws:cloudformation:stack"}
        texts = {name: (folder / body["properties"]["templateFile"]).read_text() for name, body in stacks.items()}
        descriptions = {name: json.loads(texts[name])["Description"] for name in _in_order(stacks)}
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{folder}: no synthesized assembly ({error}); make one with `npx cdk synth --output {folder}`"
        ) from error
    digest = next((found[1] for text in texts.values() if (found := DIGEST.search(text))), None)
    return SynthesizedAssembly(folder, descriptions, digest)


def _in_order(stacks: dict[str, Any]) -> list[str]:
    """Each after those that it depends on."""
    ordered: list[str] = []

    def add(name: str) -> None:
        for dependency in stacks[name].get("dependencies", []):
            if dependency in stacks and dependency not in ordered:
                add(dependency)
        if name not in ordered:
            ordered.append(name)

    for name in stacks:
        add(name)
    return ordered


def bundle_problem(assembly: SynthesizedAssembly, stage: Stage) -> str | None:
    """Why the assembly must not be deployed as the sources stand, in one line; `None` where it may."""
    anew = f"synthesize anew: `npx cdk synth --quiet --output {assembly.folder} -c stage={stage.name}`"
    if assembly.digest is None:
        return f"{assembly.folder} names no bundle; {anew}"
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in assembly.folder.glob("asset.*.zip")]
    if assembly.digest not in digests:
        return f"{assembly.folder} deploys bundle {assembly.digest[:12]}… and does not hold it; {anew}"
    service = load_service(Path(stage.service)) if stage.service else None
    current = bundle_at_hand(BundleTarget(stage.python, stage.architecture), service=service)
    if current is None:
        return f"the sources have changed since a bundle was built of them, and {assembly.folder} deploys an older one; {anew}"
    if current.sha256 != assembly.digest:
        return f"{assembly.folder} deploys bundle {assembly.digest[:12]}…, the sources make {current.sha256[:12]}…; {anew}"
    return None
