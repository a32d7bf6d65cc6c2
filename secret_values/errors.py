"""The one error of this package: whatever goes wrong is a `SecretError` of one line.

Its message says what is wrong, where, and what would be right; it never holds a value of the secret, a credential, or text
that a server sent.
"""

from __future__ import annotations


class SecretError(Exception):
    """The secret cannot be read, or is not what it must be."""

    exit_code = 1


class SettingError(SecretError):
    """A variable that says where the secret is, or an argument, is wrong."""

    exit_code = 2
