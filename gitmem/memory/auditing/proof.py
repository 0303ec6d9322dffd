"""A proof of the whole log for a third party: it is checked without gitmem, without a key and without a network."""

from __future__ import annotations

import io
import tarfile
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from gitmem.errors import UsageError
from gitmem.memory.auditing import acts, witness
from gitmem.memory.auditing.log_at import LogAt
from gitmem.memory.auditing.pins import pin_of
from gitmem.memory.context import Context
from gitmem.store.files import disk_error

_README: Final = """\
This is the audit log of the gitmem store {store}, as it stood at {time}.

    log/audit/             every segment of the log, as its writer signed it
    witness.jsonl          a signed statement of where each chain ends
    pin                    the same as one line, for a clone: gitmem audit pin --take LINE
    SHA256SUMS             of all these files
    check.py               checks all of it; it needs Python 3.10 or newer and ssh-keygen, nothing else

    sha256sum -c SHA256SUMS
    python3 check.py

Compare the fingerprint of the founder's key that check.py prints with the founder. The log holds no value of any record: it
names files, and holds hashes of what is in them.
"""


def write_proof(context: Context, target: Path) -> list[str]:
    """Write the proof to a directory that is not there yet or empty, or to a new `.tar.gz` file; the names of its files.

    Raises UsageError where something is in the way, NoKey without the identity that signs.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already", "name another place")
    content = _content(context)
    try:
        if target.name.endswith(".tar.gz"):
            target.write_bytes(_packed(content))
        else:
            for name, data in content.items():
                file = target / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
    except OSError as error:
        raise disk_error(error, f"cannot write {target}") from error
    acts.note(context, acts.EXPORT, ["audit.proof"])
    return sorted(content)


def _content(context: Context) -> dict[str, bytes]:
    log = LogAt(context.store.repo, context.store.prefix, "HEAD")
    content = {segment.path: segment.data for segment in log.segments()}
    content["witness.jsonl"] = witness.state(context)
    content["pin"] = f"{pin_of(context).text()}\n".encode()
    content["check.py"] = files("gitmem.memory.auditing").joinpath("proof_check.py").read_bytes()
    content["README"] = _README.format(store=context.store.id, time=context.now()).encode()
    sums = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(content.items()))
    return content | {"SHA256SUMS": sums.encode()}


def _packed(content: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, data in sorted(content.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o644
            archive.addfile(info, io.BytesIO(data))
    return packed.getvalue()
