"""An instance metadata service's double, version 2 only, with the documented shapes of what announces an instance's end.

One double is one instance's. `InstanceMetadata` is what it says; `MetadataService` says it on loopback from its own thread, for
tests of any kind. What is said is changed while it runs: `interrupt`, `recommend_rebalance`, `target_state`, `stumble`,
`end_sessions`.

What it keeps of the original: a session token by PUT with a time to live of 1 to 21,600 s, refused where the request was
forwarded; no answer without a token that is valid (401); 404 for a notice that is not there; times in UTC as
`2026-11-26T08:22:00Z`; an instance's tags one by one; the role's credentials. Sources: Amazon EC2 User Guide, "Use the Instance
Metadata Service", "Spot Instance interruption notices", "EC2 instance rebalance recommendations", "View tags for your EC2
instances using instance metadata"; Amazon EC2 Auto Scaling User Guide, "Retrieve the target lifecycle state through instance
metadata".
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

TOKEN_LIMIT_S = 21_600
NOTICE = timedelta(minutes=2)
ROLE = "crossover-instance"


class InstanceMetadata:
    """`answer` is the whole service. `asked` counts requests by path."""

    def __init__(self, instance_id: str, *, group: str | None = None, tags_allowed: bool = True) -> None:
        self._instance_id = instance_id
        self._group = group
        self._tags_allowed = tags_allowed
        self._sessions: dict[str, float] = {}
        self._spot: dict[str, str] | None = None
        self._rebalance: dict[str, str] | None = None
        self._stumbles = 0
        self._lock = threading.Lock()
        self.target_state = "InService"
        self.asked: Counter[str] = Counter()

    def interrupt(self, action: str = "terminate", *, at: datetime | None = None) -> None:
        """The two-minute notice; `at` is when the instance will be taken, two minutes from now unless given."""
        self._spot = {"action": action, "time": _written(at or datetime.now(UTC) + NOTICE)}

    def recommend_rebalance(self, *, at: datetime | None = None) -> None:
        self._rebalance = {"noticeTime": _written(at or datetime.now(UTC))}

    def stumble(self, requests: int) -> None:
        """Answer so many requests with 503, as the service may under load."""
        with self._lock:
            self._stumbles = requests

    def end_sessions(self) -> None:
        """No token that was given holds any longer."""
        self._sessions.clear()

    def answer(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        """Status and text; names of `headers` are in lower case."""
        if method == "PUT":
            return self._put(path, headers)
        return self._get(path, headers.get("x-aws-ec2-metadata-token", "")) if method == "GET" else (405, "")

    def _put(self, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
        if path != "/latest/api/token":
            return 404, ""
        if self._stumbled():
            return 503, ""
        if "x-forwarded-for" in headers:
            return 403, ""
        stated = headers.get("x-aws-ec2-metadata-token-ttl-seconds", "")
        if not (stated.isascii() and stated.isdigit() and 1 <= int(stated) <= TOKEN_LIMIT_S):
            return 400, ""
        token = secrets.token_urlsafe(40) + "=="
        self._sessions[token] = time.monotonic() + int(stated)
        return 200, token

    def _get(self, path: str, token: str) -> tuple[int, str]:
        self.asked[path] += 1
        if self._stumbled():
            return 503, ""
        if self._sessions.get(token, 0.0) <= time.monotonic():
            return 401, ""
        found = self._items().get(path.removeprefix("/latest/meta-data/")) if path.startswith("/latest/meta-data/") else None
        return (404, "") if found is None else (200, found)

    def _stumbled(self) -> bool:
        with self._lock:
            self._stumbles -= 1
            return self._stumbles >= 0

    def _items(self) -> dict[str, str | None]:
        credentials = {
            "Code": "Success",
            "Type": "AWS-HMAC",
            "AccessKeyId": "ASIADOUBLE",
            "SecretAccessKey": "a-double-has-no-secret",
            "Token": "session-token-of-a-double",
            "Expiration": _written(datetime.now(UTC) + timedelta(hours=6)),
        }
        return {
            "instance-id": self._instance_id,
            "tags/instance/aws:autoscaling:groupName": self._group if self._tags_allowed else None,
            "autoscaling/target-lifecycle-state": self.target_state if self._group else None,
            "spot/instance-action": None if self._spot is None else json.dumps(self._spot),
            "spot/termination-time": None if self._spot is None else self._spot["time"],
            "events/recommendations/rebalance": None if self._rebalance is None else json.dumps(self._rebalance),
            "iam/security-credentials/": ROLE,
            f"iam/security-credentials/{ROLE}": json.dumps(credentials),
        }


class MetadataService(InstanceMetadata):
    """A context manager; `url` is what `AWS_EC2_METADATA_SERVICE_ENDPOINT` takes."""

    def __init__(self, instance_id: str, *, group: str | None = None, tags_allowed: bool = True, port: int = 0) -> None:
        super().__init__(instance_id, group=group, tags_allowed=tags_allowed)
        self._port = port
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    def __enter__(self) -> MetadataService:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                self._tell()

            def do_GET(self) -> None:
                self._tell()

            def _tell(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, body = service.answer(self.command, self.path, headers)
                content = body.encode()
                self.send_response(status)
                self.send_header("content-type", "text/plain")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None and self._thread is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
