"""The console behind HTTP on the loopback: the page's files, one stream of what is seen, one address for each button."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from infra.console.actions import Actions
from infra.console.driving import DONE, Drives
from infra.console.feed import Feed
from infra.console.guard import Guard, harden
from infra.console.picture import picture
from infra.console.readying import Readying
from infra.console.sent import BeginOrder, PlanOrder, PrewarmOrder, PromoteOrder, ScheduleOrder, WishOrder
from infra.console.watch import Pace, Watch
from infra.errors import InputError, KitError
from infra.operating.stage import asked_weights, who
from infra.switching.record import Event

if TYPE_CHECKING:
    from infra.switching.aws.control import Control

PAGE = Path(__file__).parent / "page"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PULSE_S = 2.0
"""How often a page is told that the console is there, when it has nothing else to say."""
LET_GO_S = 60.0
MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Port 0 takes a free one. `say` and `tell` hear on the terminal what a driven switch does."""

    port: int = 8765
    read_only: bool = False
    profile: Path | None = None
    pace: Pace = field(default_factory=Pace)
    say: Callable[[str], None] = lambda text: None
    tell: Callable[[Event], None] = lambda event: None


class Console:
    """One stage's. `start` returns the URL with its key; `stop` lets go of what is driven and returns what to say of that."""

    def __init__(self, control: Control, connect: Callable[[], Control], options: Options) -> None:
        self._options, self._stage = options, control.resources.stage
        self._watch = Watch(connect, control, asked_weights(self._stage), options.pace)
        self._drives = Drives(say=options.say, tell=options.tell, changed=self._changed)
        self._readying = Readying(say=options.say, changed=self._changed)
        self._actions = Actions(self._stage, connect, self._drives, self._readying, profile=options.profile)
        self._feed = Feed(self._line, every_s=options.pace.look_s)
        self._files = {path.name: path.read_bytes() for path in sorted(PAGE.iterdir())}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending, self._news = asyncio.Event(), asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._guard: Guard

    async def start(self) -> str:
        self._loop = asyncio.get_running_loop()
        application = web.Application(client_max_size=MOST_BYTES, middlewares=[self._refuse])
        application.on_response_prepare.append(harden)
        application.router.add_get("/", self._file)
        application.router.add_get("/page/{name}", self._file)
        application.router.add_post("/session", self._session)
        application.router.add_get("/events", self._events)
        for name, (order, act) in self._buttons().items():
            application.router.add_post(f"/do/{name}", _button(order, act, self._acted))
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=2.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._options.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise KitError(f"--port {self._options.port}: {error.strerror}; say another, or 0 for a free one") from None
        port: int = self._runner.addresses[0][1]
        files = frozenset({"/", *(f"/page/{name}" for name in self._files)})
        self._guard = Guard(port, files, "/session")
        return f"http://127.0.0.1:{port}/#key={self._guard.key}"

    async def stop(self) -> str:
        """Pages are told at last, when the switch has let go. Empty where nothing was driven, or it was done first."""
        self._watch.leave()
        self._readying.stop()
        driven = self._drives.stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._driver_ended(), LET_GO_S)
        self._ending.set()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._drives.running:
            return "the switch has not let go: its lease ends by itself, `crossover resume` goes on then"
        return self._drives.end if driven and self._drives.end != DONE else ""

    async def _driver_ended(self) -> None:
        while self._drives.running:
            self._news.clear()
            await self._news.wait()

    def _buttons(self) -> dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]]]]:
        """By name, what is sent and what it does; without those that change anything where nothing may be changed."""
        act = self._actions
        reads: dict[str, tuple[type[Any], Callable[[Any], dict[str, Any]]]] = {"plan": (PlanOrder, act.plan)}
        if self._options.read_only:
            return reads
        return {
            **reads,
            "switch": (BeginOrder, act.begin),
            "pause": (WishOrder, act.pause),
            "promote": (PromoteOrder, act.promote),
            "abort": (WishOrder, act.abort),
            "resume": (WishOrder, act.resume),
            "prewarm-plan": (PrewarmOrder, act.look_at_prewarm),
            "prewarm": (PrewarmOrder, act.prewarm),
            "schedule": (ScheduleOrder, act.schedule),
        }

    @property
    def _refuse(self) -> Any:
        """The guard knows its port once the console listens."""

        @web.middleware
        async def only_ours(request: web.Request, handler: Any) -> web.StreamResponse:
            refused = self._guard.refusal(request)
            if refused is not None:
                raise refused
            answer: web.StreamResponse = await handler(request)
            return answer

        return only_ours

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info.get("name", "index.html")
        if name not in self._files:
            raise web.HTTPNotFound
        return web.Response(body=self._files[name], content_type=TYPES[Path(name).suffix], charset="utf-8")

    async def _session(self, request: web.Request) -> web.Response:
        response = web.json_response({"stage": self._stage, "read_only": self._options.read_only})
        self._guard.let_in(response)
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: `seen` with the document, `pulse` between, `end` when the console ends."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        async with self._feed.open() as seen:
            with suppress(ConnectionError):  # the page was closed
                await response.write(_event("pulse"))
                while not self._ending.is_set():
                    try:
                        line = await asyncio.wait_for(seen.get(), PULSE_S)
                    except TimeoutError:
                        await response.write(_event("pulse"))
                    else:
                        await response.write(_event("seen", line))
                await response.write(_event("end"))
        return response

    def _line(self) -> bytes:
        document = picture(self._watch.look())
        about = {"read_only": self._options.read_only, "who": who(), "pace": msgspec.to_builtins(self._options.pace)}
        doing = {"driving": self._drives.document(), "prewarm": self._readying.document()}
        return msgspec.json.encode({**document, "console": about, **doing})

    def _acted(self) -> None:
        self._watch.soon()
        self._feed.soon()
        self._news.set()

    def _changed(self) -> None:
        """From the driving thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._acted)


def _event(name: str, line: bytes = b"") -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + line + b"\n\n"


def _button(order: type[Any], act: Callable[[Any], dict[str, Any]], acted: Callable[[], None]) -> Any:
    async def pressed(request: web.Request) -> web.Response:
        try:
            asked = msgspec.json.decode(await request.read(), type=order)
            told = await asyncio.to_thread(act, asked)
        except msgspec.DecodeError as error:
            return web.json_response({"error": f"not understood: {error}"}, status=400)
        except InputError as error:
            return web.json_response({"error": str(error)}, status=400)
        except KitError as error:
            return web.json_response({"error": str(error)}, status=409)
        finally:
            acted()
        return web.json_response(told, dumps=lambda value: msgspec.json.encode(value).decode())

    return pressed
