"""One TLS context for every supplier, resuming sessions: a resumed handshake costs a fraction of a full one."""

from __future__ import annotations

import ssl
from collections import OrderedDict

MAX_SESSIONS = 1_000


class ResumingContext(ssl.SSLContext):
    """A client context that offers each host the session of its last connection (RFC 8446, 2.2; RFC 5077).

    Event loops wrap connections without a session to offer, so it is put in here.
    """

    _sessions: OrderedDict[str, ssl.SSLSession]

    @classmethod
    def with_default_authorities(cls) -> ResumingContext:
        """Verifies names and certificates against the system's authorities, as `ssl.create_default_context` does.

        Loading them takes about 20 ms, so a process makes one context, when its first https supplier is opened.
        """
        context = cls(ssl.PROTOCOL_TLS_CLIENT)
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context

    def __init__(self, *_: object) -> None:
        super().__init__()
        self._sessions = OrderedDict()
        self.set_alpn_protocols(["http/1.1"])

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        if session is None and isinstance(server_hostname, str):
            session = self._sessions.get(server_hostname)
        return super().wrap_bio(incoming, outgoing, server_side, server_hostname, session)

    def remember(self, host: str, connection: object) -> None:
        """Keep this connection's session for the next to the same host. With TLS 1.3 it comes after the handshake, so this
        is called when the first answer has been read."""
        session = getattr(connection, "session", None)
        if session is None:
            return
        self._sessions[host] = session
        self._sessions.move_to_end(host)
        while len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
