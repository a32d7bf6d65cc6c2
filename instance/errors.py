"""The errors of this package; each message is one line."""

from __future__ import annotations


class InstanceError(Exception):
    """What an instance must do cannot be done."""


class MetadataError(InstanceError):
    """The metadata service gives no answer, or not as it should. It may be back in a moment."""


class CloudError(InstanceError):
    """AWS was not reached or refused; `code` is AWS's own name for a refusal, empty where there was none."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class NothingWaits(CloudError):
    """No lifecycle action of this instance is waiting: its group has no such hook, or is not there yet, or has gone on."""
