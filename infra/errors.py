"""Errors of the kit's own tools. The command line prints them as one line and exits with their code.

Exit codes: 0 done, 1 refused or failed, 2 usage (an argument or an input file is wrong), 3 rolled back, 4 unknown state.
"""

from __future__ import annotations


class KitError(Exception):
    """Something could not be done. The message says what, where, and what would be right, in one line."""

    exit_code = 1


class RolledBack(KitError):
    """Something failed, and what it had changed was taken back."""

    exit_code = 3


class UnknownState(KitError):
    """Something failed and left a state that a person must look at."""

    exit_code = 4


class InputError(KitError):
    """A file or an argument the user gave is wrong; names file, line and field where it can."""

    exit_code = 2
