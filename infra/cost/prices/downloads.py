"""Where files of AWS's Price List come from: AWS itself, a mirror, or a folder laid out like it."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path

from infra.cost.prices.plan_list import OFFER as PLANS
from infra.errors import InputError, KitError

PRICE_LIST_URL = "https://pricing.us-east-1.amazonaws.com"
TIMEOUT_S = 60


class NoOffer(InputError):
    """The list has no such file: no such offer in this region, or no such region."""


class Downloads:
    """Offer files from AWS, or from a mirror or folder laid out like it, each fetched once into a temporary folder."""

    origin = "AWS Price List"

    def __init__(self, source: str = PRICE_LIST_URL, say: Callable[[str], None] = lambda text: None) -> None:
        self._source, self._say = source.rstrip("/"), say
        self._folder = Path(tempfile.mkdtemp(prefix="crossover-prices-"))

    def __enter__(self) -> Downloads:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def open(self, offer: str, region: str) -> Path:
        if offer != PLANS:
            return self._fetch(f"offers/v1.0/aws/{offer}/current/{region}/index.json", region, f"{offer}.json")
        index = self._fetch(f"savingsPlan/v1.0/aws/{offer}/current/region_index.json", region, f"{offer}-regions.json")
        return self._fetch(_plans_of(index, region), region, f"{offer}.json")

    def _fetch(self, path: str, region: str, name: str) -> Path:
        if not self._source.startswith(("http://", "https://")):
            if not (Path(self._source) / path).exists():
                raise NoOffer(f"{Path(self._source) / path}: cannot be read (No such file or directory)")
            return Path(self._source) / path
        target = self._folder / name
        url = f"{self._source}/{path}"
        if not target.exists():
            self._say(f"fetching {url}")
            try:
                with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer, target.open("wb") as file:  # noqa: S310
                    shutil.copyfileobj(answer, file, 1 << 20)
            except urllib.error.HTTPError as error:
                error.close()
                kind = NoOffer if error.code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND) else KitError
                raise kind(f"{url}: answered {error.code}; is {region!r} a region?") from None
            except (OSError, ValueError, HTTPException) as error:
                target.unlink(missing_ok=True)
                raise KitError(f"{url}: cannot be fetched ({getattr(error, 'reason', error)})") from None
        return target


def _plans_of(index: Path, region: str) -> str:
    """Where the region's Savings Plans stand in their newest version."""
    try:
        listed = {each["regionCode"]: each["versionUrl"] for each in json.loads(index.read_bytes())["regions"]}
    except OSError as error:
        raise InputError(f"{index}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f"{index}: not an index of Savings Plans: it needs regions, each with regionCode and versionUrl"
        ) from None
    if region not in listed:
        raise InputError(f"{index}: has no region {region!r}")
    return str(listed[region]).lstrip("/")
