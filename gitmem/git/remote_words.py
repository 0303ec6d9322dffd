"""What git and remotes say when something fails, put into a reason, a hint and the way a push ended. Nothing here runs git."""

from __future__ import annotations

import re
from typing import Final

from gitmem.errors import RemoteError
from gitmem.git import process

_DENIED: Final = re.compile(
    r"permission denied|permission to .* denied|not allowed|access denied|authentication failed|could not read username"
    r"|could not read password|returned error: 40[13]|read-only|read only|insufficient permission|unpacker error"
    r"|service not enabled|access denied or repository not exported",
    re.IGNORECASE,
)
_RACE: Final = re.compile(
    r"fetch first|non-fast-forward|stale info|failed to update ref|cannot lock ref|failed to lock|incorrect old value"
    r"|reference already exists|unable to resolve reference"
)
_NO_ROOM: Final = r"unpacker error|no space left|disk|quota|file too large|couldn't write"
_CAUSE: Final = re.compile(r"fatal: |error: |ssh: |remote: |.*: Permission denied|Host key verification failed")
_ADVICE_ONLY: Final = re.compile(
    r"Could not read from|unpack-objects abnormal exit|failed to push some refs|the remote end hung up unexpectedly"
    r"|git-http-push failed"
)

_SAFE: Final = "your work is safe here meanwhile"
_HINTS: Final = (
    (r"^the pre-push hook of this clone", "the hook is your own: do as it asks, then `gitmem sync` again; " + _SAFE),
    (r"did not end within", "`git config gitmem.timeout 600` gives it ten minutes; " + _SAFE),
    (
        r"authentication failed|could not read (username|password)|returned error: 401|publickey|password",
        "credentials are git's: `git ls-remote {remote}` must work first (a credential helper, or an ssh key); " + _SAFE,
    ),
    (r"certificate|SSL|TLS", "`git config http.sslCAInfo FILE` names the certificate to trust; " + _SAFE),
    (r"host key verification", "connect once with ssh to accept the host's key; " + _SAFE),
    (
        r"checked out branch|branch is currently checked out",
        "the remote is somebody's work tree: share a bare repository (`git init --bare`), or another branch",
    ),
    (
        r"hash algorithm|mismatched algorithms|unexpected capabilities",  # the last is of an empty remote
        "one of the two was made with `--object-format=sha256`: share through an empty repository of this one's kind, which "
        "`git rev-parse --show-object-format` tells; " + _SAFE,
    ),
    (
        _NO_ROOM,
        "the remote cannot store it: free some space there, then `gitmem sync` again; everything is committed here",
    ),
)
_PUSH_HINT: Final = (
    "everything is committed here; check that you may write to {ref} there, or share a branch of your own "
    "(`git switch -c memory`), then `gitmem sync` again"
)
_LOGIN: Final = re.compile(r"(?<=://)[^/\s'\"]*@")
_SSH_USER: Final = re.compile(r"ssh://[^:@]*@")
_CLONE_HINT: Final = "check the address: `git ls-remote {remote}` shows what is there"
_READ_HINT: Final = "`git remote -v` shows where it points; " + _SAFE


def lost_race(said: str) -> bool:
    """Whether a refusal says no more than that somebody else was faster."""
    return bool(_RACE.search(said))


def no_room(said: str) -> bool:
    """Whether the remote says that it cannot write: a ref for which there is no room looks like one that was lost."""
    return bool(re.search(_NO_ROOM, said, re.IGNORECASE))


def denied(said: str) -> bool:
    """Whether it was said that we may not, rather than that nobody is there."""
    return bool(_DENIED.search(said))


def unreadable(remote: str, why: str, *, anew: bool = False) -> RemoteError:
    """The error for a remote (a name or a URL) that cannot be read; `anew` if a first clone was to be made of it."""
    shown = without_password(remote)
    if process.full(why):
        return RemoteError(f"cannot take in what {shown} has: no space is left on the disk", process.FULL_HINT)
    if "couldn't write" in why:  # one of our own refs; git does not say what was wrong
        return RemoteError(f"cannot take in what {shown} has: {why}: perhaps no space is left on the disk", process.FULL_HINT)
    hint = _hint(why, _CLONE_HINT).removesuffix(f"; {_SAFE}") if anew else _hint(why, _READ_HINT)
    return RemoteError(f"cannot read from {shown}: {why}", hint.format(remote=shown))


def unwritable(remote: str, ref: str, why: str, *, reached: bool) -> RemoteError:
    """The error for a push that `remote` did not take, or that did not get there (`reached` is false)."""
    shown = without_password(remote)
    what = f"{shown} did not take the push" if reached else f"cannot push to {shown}"
    return RemoteError(f"{what}: {why}", _hint(why, _PUSH_HINT if reached else _READ_HINT).format(remote=shown, ref=ref))


def without_password(text: str) -> str:
    """`text` without the user names and passwords in the URLs it holds (up to the last @: a password may hold one).

    The user of an ssh address stays: it is no secret, and without it the address leads elsewhere. Over http it may be a token.
    """
    return _LOGIN.sub(lambda login: login[0] if _SSH_USER.fullmatch(text, max(0, login.start() - 6), login.end()) else "", text)


def said(err: str) -> str:
    """git's reason; where a transport broke, git's own last `fatal:` line only advises, and one before it names the cause."""
    told = err.splitlines()
    marked = [line for line in told if _CAUSE.match(line) and not _ADVICE_ONLY.search(line)]
    lines = [line for line in marked if process.full(line)] or marked
    cause = lines[-1] if lines else process.reason(err)
    if cause.endswith(":"):  # git:// tells of each address on a line of its own
        cause += "".join(f" {line.strip()}" for line in told[told.index(cause) + 1 :][:1] if cause in told)
    return without_password(re.sub(r"^(fatal|error): ", "", cause)).strip()


def stopped_by_hook(out: str, err: str) -> str | None:
    """The reason of a push that git itself has none for but that it failed: the clone's own hook, with its last five lines."""
    *words, last = [line.strip() for line in err.splitlines() if line.strip()] or [""]
    if not last.startswith("error: failed to push some refs"):
        return None
    told = [*(line.strip() for line in out.splitlines() if line.strip()), *words][-5:]
    return without_password(": ".join(["the pre-push hook of this clone refused", *filter(None, ["; ".join(told)])]))


def remote_lines(err: str) -> list[str]:
    """What the remote itself said, such as the words of its hook; the first five lines."""
    lines = (line.removeprefix("remote: ").strip() for line in err.splitlines() if line.startswith("remote: "))
    return [without_password(line) for line in lines if line][:5]


def _hint(why: str, otherwise: str) -> str:
    return next((hint for cause, hint in _HINTS if re.search(cause, why, re.IGNORECASE)), otherwise)
