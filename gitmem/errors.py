"""What a user is told when something cannot be done.

Every expected failure is a `GitmemError`; anything else that escapes is a bug and is shown with its traceback.
The exit codes are part of the command-line contract and never change their meaning.
"""

from __future__ import annotations


class GitmemError(Exception):
    """A failure a user can act on.

    `message` names the thing and says what happened, `hint` gives the next command (may be empty),
    `exit_code` is the process exit code the command line ends with.
    """

    exit_code: int = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GitmemError):
    """The words of the call do not fit the command."""

    exit_code = 2


class ConflictsLeft(GitmemError):
    """The work was done, and concurrent values wait for a person to pick one."""

    exit_code = 3


class NoStore(GitmemError):
    """There is no usable gitmem store (or no usable git) here."""

    exit_code = 10


class Locked(GitmemError):
    """Another process holds the store's lock and did not let go in time."""

    exit_code = 11


class NoRoom(GitmemError):
    """A disk that took nothing more while git wrote to it."""


class NoKey(GitmemError):
    """No identity that opens what was asked for."""

    exit_code = 12


class InvalidRecord(GitmemError):
    """A record, or what was given to become one, breaks its format or its schema."""

    exit_code = 13


class RemoteError(GitmemError):
    """The remote could not be reached, or refused."""

    exit_code = 14


class Tampered(GitmemError):
    """The audit log and the data do not agree."""

    exit_code = 15


class DamagedKey(Tampered):
    """The wrapped key of an epoch is not what it was: that says nothing about what is sealed with it."""


EXIT_OK = 0
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
