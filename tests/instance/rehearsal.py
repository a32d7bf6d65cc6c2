"""What happens in the machine that namespaces.sh makes: boot, requests, a spot notice, an agent that dies, the end. Standard
library only. Writes what was seen as JSON; test_systemd.py judges it."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

from infra.lab.metadata_service import MetadataService

AWS, METADATA = "http://127.0.0.1:7001", "http://127.0.0.1:7002"
PORT = 8000
ENVIRONMENT = Path("/etc/crossover/environment")
UNITS = ("crossover.service", "crossover-agent.service", "crossover-drain.path", "crossover-drain.service")
calls: list[str] = []
seen: Counter[str] = Counter()
halted = threading.Event()


class Api(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = dict(parse_qsl(self.rfile.read(int(self.headers["content-length"])).decode()))
        calls.append(" ".join(form[name] for name in ("Action", "LifecycleHookName", "LifecycleActionResult") if name in form))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def systemctl(*arguments: str) -> str:
    return subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False).stdout.strip()


def states() -> dict[str, str]:
    return dict(zip(UNITS, systemctl("is-active", *UNITS).splitlines(), strict=True))


def until(condition: Callable[[], bool], limit_s: float = 20) -> None:
    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)


def ask() -> None:
    """A caller with a keep-alive connection, until halted."""
    connection: http.client.HTTPConnection | None = None
    while not halted.is_set():
        try:
            connection = connection or http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", "/version")
            answer = connection.getresponse()
            answer.read()
            seen[f"{answer.status}, {answer.headers.get('connection', 'kept')}"] += 1
            if answer.headers.get("connection") == "close":
                connection.close()
                connection = None
        except OSError as error:
            seen[type(error).__name__] += 1
            connection = None
        time.sleep(0.01)


def boot(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "instance.boot"]
    return subprocess.run(command, cwd="/opt/crossover/rehearsed", env=environment, capture_output=True, text=True, check=False)


def boot_with_a_wrong_setting(environment: dict[str, str]) -> str:
    """What the boot program says of it."""
    right = ENVIRONMENT.read_text()
    ENVIRONMENT.write_text(f"{right}CROSSOVER_DEADLINE_MS=soon\n")
    said = boot(environment).stderr
    ENVIRONMENT.write_text(right)
    return said


def rehearse(metadata: MetadataService) -> dict[str, object]:
    environment = {"AWS_ENDPOINT_URL": AWS, "AWS_EC2_METADATA_SERVICE_ENDPOINT": METADATA, "PATH": "/usr/bin:/bin"}
    drop_in = Path("/etc/systemd/system/crossover-agent.service.d/aws.conf")
    drop_in.write_text("".join(f"[Service]\nEnvironment={name}={environment[name]}\n" for name in sorted(environment)))
    told: dict[str, object] = {"refused": boot_with_a_wrong_setting(environment), "calls_refused": [*calls]}
    calls.clear()
    began = time.monotonic()
    booted = boot(environment)
    told |= {"boot": booted.returncode, "boot_said": booted.stderr, "boot_s": time.monotonic() - began, "booted": states()}
    told["users"] = [systemctl("show", unit, "-p", "User", "--value") for unit in UNITS[:2]]
    if booted.returncode:
        return told
    caller = threading.Thread(target=ask, daemon=True)
    caller.start()
    time.sleep(0.5)
    metadata.interrupt()
    noticed = time.monotonic()
    until(lambda: states()["crossover.service"] == "deactivating")
    told["drain_after_s"] = time.monotonic() - noticed
    systemctl("kill", "--signal=KILL", "crossover-agent.service")
    time.sleep(1)
    halted.set()
    caller.join()
    told["requests"] = seen
    until(lambda: states()["crossover.service"] == "inactive")
    told["gone_after_s"] = time.monotonic() - noticed
    told["result"] = systemctl("show", "crossover.service", "-p", "Result", "--value")
    metadata.target_state = "Terminated"
    until(lambda: "CompleteLifecycleAction drain CONTINUE" in calls)
    told["left"] = states()
    return told


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 7001), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with MetadataService("i-0rehearsal", group="group-1", port=7002) as metadata:
        told = rehearse(metadata)
    Path("/opt/out/told.json").write_text(json.dumps({**told, "calls": calls}))


main()
