"""Checks an exported gitmem audit log, in the directory it lies in, with Python's standard library and ssh-keygen alone.

It checks every line against the line before it, every quote of another chain, every signature, every checkpoint, that each
signer was let in by somebody who was in before, and that the chains end where the witness statement says. It does not see the
files that the log speaks of, and does not judge who had been removed when: `gitmem audit verify` in a clone does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

EMPTY = hashlib.sha256(b"").hexdigest()
PLACE = re.compile(r"log/audit/([a-z0-9-]+)/[0-9]+/([0-9]+)\.jsonl")

problems: list[str] = []


def main() -> int:
    """Check everything; 0 if all is well."""
    check_sums()
    segments = read_segments()
    members, founder = fold(segments)
    heads = check_chains(segments)
    with tempfile.TemporaryDirectory() as folder:
        for path, lines, entries, key, signature in segments:
            check_signature(Path(folder), path, b"".join(line + b"\n" for line in lines), key, signature)
            if members.get(key) != entries[0]["subject"]:
                problems.append(f"{path}: signed as {entries[0]['subject']!r} by a key that nobody let in under this name")
        check_witness(Path(folder), heads)
    for problem in problems:
        say(f"PROBLEM: {problem}")
    count = sum(len(segment[1]) for segment in segments)
    say(f"entries: {count}, segments: {len(segments)}, writers: {len(heads)}; the founder's key is {fingerprint(founder)}")
    say("NOT SOUND" if problems else "sound")
    return 1 if problems else 0


def say(text: str) -> None:
    """Write a line."""
    sys.stdout.write(text + "\n")


def check_sums() -> None:
    """Every file is as it was exported."""
    for line in Path("SHA256SUMS").read_text("utf-8").splitlines():
        digest, _, name = line.partition("  ")
        if hashlib.sha256(Path(name).read_bytes()).hexdigest() != digest:
            problems.append(f"{name}: not as it was exported")


def read_segments() -> list[tuple[str, list[bytes], list[dict[str, Any]], str, str]]:
    """(path, signed lines, what they say, key, signature) of every segment, in the order of chains and numbers."""
    found = []
    for file in sorted(Path("log/audit").rglob("*.jsonl"), key=lambda file: (file.parts[2], int(file.stem))):
        *lines, last = file.read_bytes().rstrip(b"\n").split(b"\n")
        end = json.loads(last)
        found.append((file.as_posix(), lines, [json.loads(line) for line in lines], end["key"], end["sig"]))
    return found


def fold(segments: list[Any]) -> tuple[dict[str, str], str]:
    """Whose key each is: the founder's, and those that enrolments by holders of such keys gave out."""
    begun = [(key, e) for _, _, entries, key, _ in segments for e in entries if e["op"] == "init"]
    if len(begun) != 1:
        problems.append(f"{len(begun)} entries begin the store, not one")
        return {}, ""
    founder, entry = begun[0]
    members = {founder: entry["subject"]}
    while True:
        more = {
            key: entry["detail"]["member"]
            for _, _, entries, signer, _ in segments
            if signer in members
            for entry in entries
            if entry["op"] == "enrol"
            for key in entry["detail"]["keys"]
        }
        if more.keys() <= members.keys():
            return members, founder
        members = more | members


def check_chains(segments: list[Any]) -> dict[str, list[Any]]:
    """Numbers, hashes, quotes and roots; the end of each chain with the root over it: writer -> [number, hash, root]."""
    hashes: dict[tuple[str, int], str] = {}
    chains: dict[str, list[bytes]] = {}
    last: dict[str, int] = {}
    for path, lines, entries, _, _ in segments:
        place = PLACE.fullmatch(path)
        writer = place[1] if place else ""
        leaves = chains.setdefault(writer, [])
        if place is None or int(place[2]) != last.get(writer, 0) + 1:
            problems.append(f"{path}: the segment before it is missing")
        last[writer] = last.get(writer, 0) + 1
        for line, entry in zip(lines, entries, strict=True):
            before = hashes.get((writer, len(leaves)), EMPTY)
            if (entry["writer"], entry["seq"], entry["prev"]) != (writer, len(leaves) + 1, before):
                problems.append(f"{path}: entry {entry['seq']} does not follow the one before it")
            if entry["op"] == "checkpoint" and entry["detail"] != {"size": len(leaves), "root": root(leaves)}:
                problems.append(f"{path}: entry {entry['seq']} is a checkpoint with a wrong root")
            leaves.append(line)
            hashes[writer, len(leaves)] = hashlib.sha256(line).hexdigest()
    for path, _, entries, _, _ in segments:
        for writer, (seq, digest) in entries[0]["seen"].items():
            if hashes.get((writer, seq)) != digest:
                problems.append(f"{path}: has seen entry {seq} of {writer}, which is not here or is another")
    return {w: [len(leaves), hashes[w, len(leaves)], root(leaves)] for w, leaves in chains.items()}


def root(leaves: list[bytes]) -> str:
    """The Merkle root over lines (RFC 6962, section 2.1), in hex."""
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    while len(level) > 1:  # pairing up from the left gives the definition's tree
        pairs = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = pairs + level[2 * len(pairs) :]
    return (level[0] if level else hashlib.sha256(b"").digest()).hex()


def check_signature(folder: Path, path: str, body: bytes, key: str, signature: str) -> None:
    """Have ssh-keygen check one signature."""
    (folder / "allowed").write_text(f"signer {key}\n", "utf-8")
    (folder / "sig").write_text(signature, "utf-8")
    words = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "signer", "-n", "gitmem", "-s", "sig"]
    if subprocess.run(words, cwd=folder, input=body, capture_output=True, check=False).returncode:
        problems.append(f"{path}: its signature does not hold")


def check_witness(folder: Path, heads: dict[str, list[Any]]) -> None:
    """The chains end where the statement says."""
    body, last = Path("witness.jsonl").read_bytes().splitlines()
    end = json.loads(last)
    check_signature(folder, "witness.jsonl", body + b"\n", end["key"], end["sig"])
    if json.loads(body)["chains"] != heads:
        problems.append("witness.jsonl: the chains do not end where it says")


def fingerprint(key: str) -> str:
    """A key's fingerprint as `ssh-keygen -l` prints it."""
    if not key:
        return "not known"
    digest = hashlib.sha256(base64.b64decode(key.split()[1])).digest()
    return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


if __name__ == "__main__":
    sys.exit(main())
