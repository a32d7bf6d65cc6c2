"""`python -m instance.agent`: one thread looks out for this instance's end every two seconds, another sends its figures to
CloudWatch every minute.

Nothing that fails ends it: the metadata service and AWS's APIs may be away for a while. systemd starts it anew when it dies.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from instance.cloud import Cloud
from instance.departure import GONE_BY_S, Departure, Place
from instance.errors import CloudError, InstanceError, MetadataError
from instance.figures import figures, hear
from instance.metadata import Metadata
from instance.notices import Seen, look
from instance.service import is_listening, metrics
from instance.settings import Settings, read_settings, service_host
from instance.units import DRAIN_FILE

LOOK_S = 2.0
"""AWS recommends five seconds at most for spot interruption notices."""

PUBLISH_S = 60.0

log = logging.getLogger("crossover.agent")


class Watch:
    """`turn` is one look. What the metadata service said last stands in for what it does not say now."""

    def __init__(self, metadata: Metadata, departure: Departure) -> None:
        self._metadata = metadata
        self._departure = departure
        self._seen: Seen | None = None
        self._deaf = False

    def turn(self) -> None:
        try:
            seen = look(self._metadata)
        except MetadataError as error:
            if not self._deaf:
                log.error("%s", error)
            self._deaf = True
        else:
            if self._deaf:
                log.warning("the metadata service answers again")
            self._deaf = False
            self._take_in(seen)
        if self._departure.begun:
            self._departure.turn(self._seen.target_state if self._seen is not None else None)

    def _take_in(self, seen: Seen) -> None:
        remark = seen.remark(self._seen)
        if remark is not None:
            log.warning("%s", remark)
        self._seen = seen
        if seen.end is not None and not self._departure.begun:
            self._departure.begin(seen.end)


class Publisher:
    """`turn` sends the figures of this moment; nothing is sent of an instance that leaves, for it would pull the group's mean
    down while the others carry its load."""

    def __init__(
        self, cloud: Cloud, group: str, ask: Callable[[], str | None], workers: int, leaves: Callable[[], bool]
    ) -> None:
        self._cloud = cloud
        self._group = group
        self._ask = ask
        self._workers = workers
        self._leaves = leaves
        self._failing = False

    def turn(self) -> None:
        found = [] if self._leaves() else figures(hear(self._ask, self._workers))
        if not found:
            return
        try:
            self._cloud.publish(self._group, found)
        except CloudError as error:
            if not self._failing:
                log.error("no figures reach CloudWatch: %s", error)
            self._failing = True
        else:
            if self._failing:
                log.warning("figures reach CloudWatch again")
            self._failing = False


def run(settings: Settings, drain_file: Path, *, look_s: float, publish_s: float, gone_by_s: float) -> None:
    """Watch until the process is ended."""
    metadata, cloud = Metadata.of(os.environ), Cloud(settings.region, os.environ)
    instance, group = _identify(metadata, look_s)
    place = Place(instance, group, settings.target_group, settings.drain_hook, settings.port)
    host = service_host(os.environ)
    departure = Departure(drain_file, place, cloud, answers=lambda port: is_listening(port, host), gone_by_s=gone_by_s)
    departure.resume()
    if group is not None:
        workers = len(os.sched_getaffinity(0)) * settings.workers_per_vcpu
        publisher = Publisher(cloud, group, lambda: metrics(settings.port, host), workers, lambda: departure.begun)
        threading.Thread(target=_forever, args=(publisher.turn, publish_s), name="figures", daemon=True).start()
    log.info("watching %s of group %s", instance, group)
    _forever(Watch(metadata, departure).turn, look_s)


def _identify(metadata: Metadata, pause_s: float) -> tuple[str, str | None]:
    """As soon as the metadata service answers."""
    said = False
    while True:
        try:
            return metadata.instance_id(), metadata.group()
        except MetadataError as error:
            if not said:
                log.error("%s", error)
            said = True
            time.sleep(pause_s)


def _forever(turn: Callable[[], None], pause_s: float) -> None:
    """A turn that fails in a way nobody thought of is told, and the next one comes."""
    while True:
        try:
            turn()
        except Exception:
            log.exception("unforeseen")
        time.sleep(pause_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns only when it cannot begin: 1, with one line."""
    parser = argparse.ArgumentParser(prog="python -m instance.agent", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--root", type=Path, default=Path("/"), help="folder to read settings below instead of / (for tests)")
    parser.add_argument("--look-s", type=float, default=LOOK_S, metavar="SECONDS", help="between looks (default %(default)s)")
    parser.add_argument(
        "--publish-s", type=float, default=PUBLISH_S, metavar="SECONDS", help="between figures (default %(default)s)"
    )
    parser.add_argument(
        "--gone-by-s", type=float, default=GONE_BY_S, metavar="SECONDS", help="until a drain is given up (default %(default)s)"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        settings = read_settings(options.root)
        drain_file = options.root / DRAIN_FILE.lstrip("/")
        run(settings, drain_file, look_s=options.look_s, publish_s=options.publish_s, gone_by_s=options.gone_by_s)
    except (InstanceError, KeyboardInterrupt) as error:
        log.error("%s", str(error) or "interrupted")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
