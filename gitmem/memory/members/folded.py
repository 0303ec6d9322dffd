"""The members as the signed log in the work tree has them, for those who are about to act on it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from gitmem.core.auditing.audit import Segment
from gitmem.core.auditing.parse import parse_ends, parse_segment
from gitmem.core.membership.fold import fold
from gitmem.core.membership.judging import ABOUT_MEMBERS
from gitmem.core.membership.members import Members
from gitmem.errors import GitmemError, Tampered
from gitmem.memory.auditing.files import segment_files
from gitmem.memory.context import Context

# A canonical line spells it so, and no text inside one can hold a bare quotation mark.
_ABOUT_MEMBERS = re.compile(rb'"op":"(?:%s)"' % b"|".join(op.encode() for op in sorted(ABOUT_MEMBERS)))


def members_of(context: Context) -> Members:
    """Who is a member, by the entries whose signatures hold; what cannot be read counts for nothing."""
    return fold(genuine(segments_here(context)))[0]


def standing(files: Iterable[tuple[str, bytes]]) -> Members:
    """Who is and was a member, by the segments of a log (path, content): for those who need to know that alone, and soon.

    Segments without a word about members are read at their ends: whoever wants to know what else `counts` asks `fold`.
    """
    found = []
    for path, data in files:
        with suppress(Tampered):
            found.append(parse_segment(data, path) if _ABOUT_MEMBERS.search(data) else parse_ends(data, path))
    return fold(genuine(found))[0]


def standing_here(context: Context) -> Members:
    """The same for the log in the work tree."""
    return standing((path, file.read_bytes()) for path, file in segment_files(context.store.root))


def segments_here(context: Context) -> list[Segment]:
    """The segments in the work tree; what is none is passed over."""
    found = []
    for path, file in segment_files(context.store.root):
        with suppress(Tampered):
            found.append(parse_segment(file.read_bytes(), path))
    return found


def genuine(segments: list[Segment]) -> Iterator[Segment]:
    """Those that the key they name has signed."""
    from gitmem.crypto.signing import verify

    for segment in segments:
        with suppress(GitmemError):
            verify(segment.key, segment.body, segment.signature)
            yield segment
