"""The stand-ins for the system's programs, run as a boot runs them; and `aws`, on moto."""

from __future__ import annotations

import asyncio
import hashlib
import sys
import zipfile
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from infra.lab.live.instances.aws_command import MISSPELT, AwsCommand
from infra.lab.live.instances.boots import BootFault
from infra.lab.live.instances.bundles import Bundles
from infra.lab.live.instances.programs import BIN, UNPACK, Programs

PYTHON = Path(sys.executable)
REGION = "us-east-1"


async def run(*command: object) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(*map(str, command), stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    return process.returncode, said.decode().strip()


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Path]:
    """An instance's root with `tool`, which says what it was given, and fails for `refuse` and `break`."""

    async def tool(arguments: Sequence[str]) -> tuple[int, str]:
        if arguments[0] == "break":
            raise ValueError("in the lab")
        return (3 if arguments[0] == "refuse" else 0), "|".join(arguments)

    async def unpack(arguments: Sequence[str]) -> tuple[int, str]:
        return 0, f"unpacks {arguments[0]} into {arguments[1]}"

    programs = Programs(tmp_path, PYTHON, {"tool": tool, UNPACK: unpack})
    await programs.open()
    programs.add_python("python3.9", PYTHON)
    yield tmp_path
    programs.close()


async def test_a_program_hands_its_arguments_on_and_ends_as_told(instance: Path) -> None:
    assert await run(instance / BIN / "tool", "a b", "--c=d e") == (0, "a b|--c=d e")
    assert await run(instance / BIN / "tool", "refuse") == (3, "refuse")


async def test_a_program_that_fails_in_the_lab_fails_on_the_instance(instance: Path) -> None:
    assert await run(instance / BIN / "tool", "break") == (1, "tool: in the lab")


async def test_python_is_the_interpreter_but_unpacks_through_the_lab(instance: Path) -> None:
    python = instance / BIN / "python3.9"
    assert (await run(python, "-c", "import sys; sys.exit(7)"))[0] == 7
    assert await run(python, "-m", "zipfile", "-e", "a.zip", "tree") == (0, "unpacks a.zip into tree")


@pytest.fixture
def s3() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        client = boto3.Session("test", "test", region_name=REGION).client("s3")
        client.create_bucket(Bucket="assets")
        yield client


def zipped(folder: Path, **files: str) -> Path:
    with zipfile.ZipFile(folder / "made.zip", "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # of one date
    return folder / "made.zip"


async def test_a_bundle_is_fetched_and_unpacked_once_for_all_and_anew_when_it_has_changed(tmp_path: Path, s3: Any) -> None:
    lab = tmp_path / "lab"
    lab.mkdir()
    bundles = Bundles(lab, lambda _: s3)
    command = AwsCommand(lambda _: s3, bundles, None)
    for number, text in enumerate(("old", "old", "new")):
        s3.upload_file(str(zipped(tmp_path, app=text)), "assets", "key.zip")
        archive, tree = tmp_path / f"{number}.zip", tmp_path / f"tree{number}"
        assert await command.run(["s3", "cp", "--only-show-errors", "s3://assets/key.zip", str(archive)]) == (0, "")
        assert await bundles.unpack(archive, tree, PYTHON) == (0, "")
        assert (tree / "app").read_text() == text
        archive.unlink()
    trees = [(tmp_path / f"tree{number}").resolve() for number in range(3)]
    assert trees[0] == trees[1] != trees[2]


async def test_the_fault_changes_what_is_fetched(tmp_path: Path, s3: Any) -> None:
    sent = zipped(tmp_path, app="text")
    s3.upload_file(str(sent), "assets", "key.zip")
    command = AwsCommand(lambda _: s3, Bundles(tmp_path, lambda _: s3), BootFault.WRONG_DIGEST)
    got = tmp_path / "got.zip"
    await command.run(["s3", "cp", "s3://assets/key.zip", str(got)])
    assert hashlib.sha256(got.read_bytes()).digest() != hashlib.sha256(sent.read_bytes()).digest()


async def test_what_is_not_a_zip_is_refused_as_python_refuses_it(tmp_path: Path, s3: Any) -> None:
    (tmp_path / "no.zip").write_text("no zip")
    code, said = await Bundles(tmp_path, lambda _: s3).unpack(tmp_path / "no.zip", tmp_path / "tree", PYTHON)
    assert code != 0 and "BadZipFile" in said
    assert not (tmp_path / "tree").exists()


async def test_what_user_data_never_asks_of_aws_is_not_known(tmp_path: Path, s3: Any) -> None:
    command = AwsCommand(lambda _: s3, Bundles(tmp_path, lambda _: s3), None)
    assert await command.run(["ec2", "reboot-instances"]) == (MISSPELT, "the lab's aws does not know ec2 reboot-instances")


async def test_an_object_that_is_not_there_fails_as_the_command_does(tmp_path: Path, s3: Any) -> None:
    lab = Programs(tmp_path, PYTHON, {"aws": AwsCommand(lambda _: s3, Bundles(tmp_path, lambda _: s3), None).run})
    await lab.open()
    code, said = await run(tmp_path / BIN / "aws", "s3", "cp", "s3://assets/none.zip", tmp_path / "none.zip")
    lab.close()
    assert code == 1 and said.startswith("fatal error: ") and "404" in said
