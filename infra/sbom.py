"""The bundle's bill of materials in CycloneDX 1.6: every distribution that is in its tree, and its own source files.

What is there is read from the tree, not from the lock: name, version, licence and dependencies from each distribution's
METADATA. The lock adds the wheel that the target takes and its SHA-256; the wheels of a service of the user's own are not in
the lock and have none. The same bundle gives the same bytes: the serial number comes from its digest, and no time is stated.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from email.message import Message
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseAcknowledgement
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import NormalizedName, canonicalize_name, parse_wheel_filename

from infra.bundle import SOURCES, Bundle, BundleTarget
from infra.own_service import source_files
from infra.wheels import ROOT

SCHEMA = SchemaVersion.V1_6
SERIALS = uuid.UUID("8a3c9a5e-5b0f-5d0b-9b57-4b4c6d0f6c2e")
"""Namespace of the documents' serial numbers."""
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
OLDEST_GLIBC, NEWEST_GLIBC = 5, 28
"""manylinux_2_5 to manylinux_2_28: what `infra.wheels.PLATFORMS` takes."""


def sbom(bundle: Bundle, lock: Path = ROOT / "uv.lock") -> str:
    """The document as JSON text that ends with a line break."""
    wheels = _locked_wheels(lock, bundle.target)
    found = {canonicalize_name(each.metadata["Name"]): each for each in distributions(path=[str(bundle.tree)])}
    parts = {name: _distribution(each, wheels) for name, each in sorted(found.items())}
    own = list(_own(bundle))
    root = _root(bundle)
    document = Bom(
        serial_number=uuid.uuid5(SERIALS, f"{bundle.sha256} {bundle.git_revision}"),
        metadata=BomMetaData(component=root),
        components=[*own, *parts.values()],
    )
    document.register_dependency(root, [*own, *parts.values()])
    for name, part in parts.items():
        needed = _dependencies(found[name], bundle.target)
        document.register_dependency(part, [parts[each] for each in sorted(needed) if each in parts])
    stated: dict[str, Any] = json.loads(make_outputter(document, OutputFormat.JSON, SCHEMA).output_as_string())
    del stated["metadata"]["timestamp"]  # the library's clock
    return json.dumps(stated, indent=2, ensure_ascii=False) + "\n"


def _root(bundle: Bundle) -> Component:
    about = {"python": bundle.target.python, "architecture": bundle.target.architecture, "git-revision": bundle.git_revision}
    return Component(
        type=ComponentType.APPLICATION,
        name=f"{bundle.service.name if bundle.service else 'crossover'}-bundle",
        version=bundle.git_revision or bundle.sha256[:12],
        bom_ref="bundle",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=bundle.sha256)],
        properties=[Property(name=f"crossover:{name}", value=value) for name, value in about.items() if value],
    )


def _own(bundle: Bundle) -> Iterator[Component]:
    """The kit's sources, and those of a service of the user's own, each with its files as they are in the tree."""
    kit = source_files(ROOT, *SOURCES)
    if bundle.service is not None:
        laid_over = bundle.service.files()
        kit = {name: content for name, content in kit.items() if name not in laid_over}
        yield _sources(bundle.service.name, bundle.git_revision, laid_over)
    # Beside a service of the user's own, the revision is its repository's.
    yield _sources("crossover", bundle.git_revision if bundle.service is None else None, kit)


def _sources(name: str, revision: str | None, files: Mapping[str, bytes]) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=revision,
        bom_ref=f"sources:{name}",
        purl=PackageURL("generic", name=name, version=revision),
        components=[
            Component(
                type=ComponentType.FILE,
                name=path,
                bom_ref=f"file:{path}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(content).hexdigest())],
            )
            for path, content in sorted(files.items())
        ],
    )


def _distribution(found: Distribution, wheels: Mapping[tuple[str, str], tuple[str, str]]) -> Component:
    name, version = canonicalize_name(found.metadata["Name"]), found.version
    wheel, sha256 = wheels.get((name, version), ("", ""))
    purl = PackageURL("pypi", name=name, version=version, qualifiers={"file_name": wheel} if wheel else None)
    licence = _licence(found.metadata)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version,
        bom_ref=f"pypi:{name}",
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else [],
        licenses=[LicenseFactory().make_from_string(licence, license_acknowledgement=LicenseAcknowledgement.DECLARED)]
        if licence
        else [],
    )


def _licence(metadata: Any) -> str | None:
    """What the distribution declares: an SPDX expression where it has one, else its licence's name."""
    assert isinstance(metadata, Message)
    stated = metadata.get("License-Expression") or metadata.get("License")
    if stated and "\n" not in stated and stated != "UNKNOWN":
        return str(stated)
    classified = [each for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
    return str(classified[0].rpartition(":: ")[2]) if classified else None


def _dependencies(found: Distribution, target: BundleTarget) -> set[NormalizedName]:
    environment = {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "platform_machine": MACHINES[target.architecture],
        "platform_python_implementation": "CPython",
        "implementation_name": "cpython",
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_system": "Linux",
        "extra": "",
    }
    needed = [Requirement(text) for text in found.requires or []]
    return {canonicalize_name(each.name) for each in needed if each.marker is None or each.marker.evaluate(environment)}


def _locked_wheels(lock: Path, target: BundleTarget) -> dict[tuple[str, str], tuple[str, str]]:
    """(name, version) -> (file name, SHA-256) of the wheel that the target takes among those of the lock."""
    ranks = {tag: rank for rank, tag in enumerate(_tags(target))}
    best: dict[tuple[str, str], tuple[str, str]] = {}
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        ranked = []
        for wheel in package.get("wheels", []):
            file = wheel["url"].rpartition("/")[2]
            fitting = [ranks[tag] for tag in parse_wheel_filename(file)[3] if tag in ranks]
            if fitting:
                ranked.append((min(fitting), file, wheel["hash"].removeprefix("sha256:")))
        if ranked:
            best[package["name"], package["version"]] = min(ranked)[1:]
    return best


def _tags(target: BundleTarget) -> Iterator[Tag]:
    """The target's tags, the best first."""
    machine = MACHINES[target.architecture]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, OLDEST_GLIBC - 1, -1)]
    older = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}  # the names before PEP 600, same meaning
    for minor, name in older.items():
        platforms.insert(platforms.index(f"manylinux_2_{minor}_{machine}") + 1, f"{name}_{machine}")
    platforms.append(f"linux_{machine}")
    major, _, minor_version = target.python.partition(".")
    version = (int(major), int(minor_version))
    yield from cpython_tags(version, platforms=platforms)
    yield from compatible_tags(version, f"cp{major}{minor_version}", platforms)
