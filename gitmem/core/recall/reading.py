"""What an experienced reader sees in an error text: its lines, the programs it names and the sort of failure.

`read` is the one place that interprets text for recall. Everything is heuristic and generic: no program is known by name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from gitmem.core.recall.mask import clean, mask
from gitmem.core.recall.terms import fold, tokens, words

MAX_LINES: Final = 20_000  # distinct lines of a query that are looked at
MAX_TOKENS: Final = 200  # per line

# Lines weigh by what they are: the line that states the failure, prose, a list of options, a stack frame.
_STATEMENT, _PROSE, _OPTION, _FRAME = 1.6, 1.0, 0.5, 0.15

_FAILURE = re.compile(
    r"error|fatal|fail|cannot|can't|could not|exception|denied|invalid|unknown|missing|not found|no such|unable"
    r"|refused|panic|abort|unrecogni|not a |err!",
    re.IGNORECASE,
)
_OPTION_LINE = re.compile(r"-{1,2}\w")
_FRAME_LINE = re.compile(r"File <q>, line|at \S{1,200} |at <|#\d{1,4} |\.\.\. |\^|~+\^?")
_PYTHON_FRAME = "File <q>, line"
_EXCEPTION = re.compile(r"[\w.]{0,200}(?:Error|Exception|Warning|Exit|Interrupt|Fault)\b")

# Sorts of failure, and the phrases that state them.
_SORTS: Final = {
    "missing": r"no such|not found|does ?n[o']t exist"
    r"|(?:can ?not|can't|could ?n[o']t|unable to) (?:find|stat|locate|open|access)"
    r"|not recogni[sz]ed|unrecogni[sz]ed|unknown|not exist|is not an? |no [\w ]{1,30}named|not known|missing"
    r"|invalid choice|did not match|not in the|not in your|enoent",
    "denied": r"denied|not permitted|forbidden|unauthori[sz]ed|not authenticated|not authori[sz]ed|eacces|eperm",
    "busy": r"already in use|already using|eaddrinuse|in use by|another process|is locked|resource busy",
    "exists": r"already exists|file exists|eexist|already installed|already up",
    "unreachable": r"refused|unreachable|no route|econnrefused|timed? ?out|reset by peer|could not connect|failed to connect",
    "usage": r"usage:|invalid option|unrecognized option|--help|illegal option|invalid argument|unknown option"
    r"|too many arguments|missing operand|required argument",
    "syntax": r"syntax error|unexpected|unterminated|unmatched|invalid syntax|parse error|bad regex",
}
RARE_SORTS: Final = frozenset({"denied", "busy", "exists", "unreachable"})
_SORT = {name: re.compile(phrases) for name, phrases in _SORTS.items()}

# Words in the place of a program's name that name none.
_ORDINARY: Final = (
    "error fatal warning err warn info hint note usage traceback failed failure exception debug critical line bash zsh sh"
    " dash ksh fish sudo run see try type use used using caused by fix help please command in and or to the a an is this"
    " that -bash make ok exec main unknown invalid no not cannot could unable such file"
)
_NO_PROGRAM: Final = frozenset(_ORDINARY.split())
_HEAD = re.compile(r"(?:[^\s:]{1,64}(?: \d{1,6})?: ){1,6}")
_NAMED = (
    re.compile(
        r"\b(?:[Rr]un|[Ss]ee|[Tt]ry|[Tt]ype|[Uu]se|[Uu]sage:?|[Pp]lease|[Ee]xecute)[:\s]{1,3}[`'\"\u2018\u201c]?([\w.+/-]{1,64})"
    ),
    re.compile(r"[`'\"\u2018\u201c]([A-Za-z][\w.+-]{0,63}) (?:-{1,2}\w|[a-z])[^'\"`]{0,60}['\"`\u2019\u201d]"),
    re.compile(r"\b(?:an?|the) ['\"]?([\w.+-]{1,64})['\"]? (?:sub)?command"),
    re.compile(r"\b([\w.+-]{1,64}) has no (?:sub)?command"),
)


@dataclass(frozen=True)
class Line:
    """One distinct line: its masked tokens, its words among them, its weight, and what it was before masking."""

    tokens: tuple[str, ...]
    words: frozenset[str]
    factor: float
    masked: str
    raw: str

    @cached_property
    def hidden(self) -> frozenset[str]:
        """The words of the masked parts: a path's names, a quoted argument, a number."""
        return frozenset(words(self.raw)) - self.words

    @cached_property
    def speaker(self) -> frozenset[str]:
        """The program that speaks, if any: `name: message`."""
        head = _HEAD.match(self.raw)
        return frozenset({_speaker(head[0])} - {""}) if head else frozenset()

    @cached_property
    def named(self) -> frozenset[str]:
        """The programs that are spoken of: `see 'name --help'`."""
        found = {_program(name.rstrip(".")) for expression in _NAMED for name in expression.findall(self.raw)}
        return frozenset(found - {""})

    @cached_property
    def sorts(self) -> frozenset[str]:
        """The sorts of failure that it states."""
        if self.factor == _FRAME:
            return frozenset()
        lower = self.raw.lower()
        return frozenset(name for name, phrases in _SORT.items() if phrases.search(lower))


@dataclass(frozen=True)
class Reading:
    """An error text as recall sees it: `text` is clean, `plain` is that folded, `masked` is that masked and folded.

    The three have the same number of lines; `lines` holds each distinct one once.
    """

    text: str
    plain: str
    masked: str
    lines: tuple[Line, ...]

    @cached_property
    def postings(self) -> dict[str, list[int]]:
        """word -> the numbers of the lines that hold it."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(self.lines):
            for word in line.words:
                found[word].append(number)
        return found


def read(text: str, max_lines: int = MAX_LINES) -> Reading:
    """What `text` says, in one pass over its lines; of more than `max_lines` distinct ones the last are kept."""
    raw = clean(text)
    masked = mask(raw)
    lines: dict[tuple[str, ...], Line] = {}
    after_frame = False
    for plain, line in zip(raw.split("\n"), masked.split("\n"), strict=True):
        found = tuple(tokens(line)[:MAX_TOKENS])
        if found and found not in lines:
            factor = _factor(line, after_frame)
            lines[found] = Line(found, frozenset(t for t in found if not t.startswith("<")), factor, line, plain)
        after_frame = line.startswith(_PYTHON_FRAME)
    return Reading(raw, fold(raw), fold(masked), tuple(lines.values())[-max_lines:])


def _factor(line: str, after_frame: bool) -> float:
    if _FRAME_LINE.match(line) or (after_frame and not _EXCEPTION.match(line)):
        return _FRAME
    if _FAILURE.search(line):
        return _STATEMENT
    return _OPTION if _OPTION_LINE.match(line) else _PROSE


def _speaker(head: str) -> str:
    """The first program of `sudo: line 3: vim: `, which is `vim`."""
    programs = (_program(part.split(" ")[0]) for part in head.split(": ") if not part.startswith("line "))
    return next((program for program in programs if program), "")


def _program(name: str) -> str:
    """`name` as a program's name, or nothing."""
    base = name.lower().rsplit("/", 1)[-1]
    return "" if base in _NO_PROGRAM or base.isdigit() else base
