"""Whom records speak of: a person under the names and addresses that a team knows them by."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from gitmem.core.record import Json
from gitmem.errors import UsageError

PLACEHOLDER: Final = "<erased>"
"""What stands in the place of a mention that was taken out."""

_SHORTEST: Final = 3


class Subject:
    """One person. A text mentions them where one of the names stands as words of its own, in any case and spacing."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = [unicodedata.normalize("NFC", " ".join(name.split())) for name in names]
        short = next((name for name in self.names if len(name) < _SHORTEST), None)
        if short is not None or not self.names:
            raise UsageError(
                f"{short!r} is too short to look for: it would be found everywhere" if self.names else "nobody was named",
                "name a person in full: a name, an e-mail address, a member's name",
            )
        longest = sorted(self.names, key=len, reverse=True)
        words = (r"\s+".join(re.escape(word) for word in name.split()) for name in longest)
        self._pattern = re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)

    def is_named_in(self, value: Json) -> bool:
        """Whether a value, or anything inside it, mentions the person."""
        if isinstance(value, str):
            return self._pattern.search(unicodedata.normalize("NFC", value)) is not None
        if isinstance(value, dict):
            return any(map(self.is_named_in, value)) or any(map(self.is_named_in, value.values()))
        return isinstance(value, list) and any(map(self.is_named_in, value))

    def taken_out_of(self, value: Json) -> Json:
        """The value with a placeholder for each mention."""
        if isinstance(value, str):
            return self._pattern.sub(PLACEHOLDER, unicodedata.normalize("NFC", value)) if self.is_named_in(value) else value
        if isinstance(value, dict):
            return {str(self.taken_out_of(key)): self.taken_out_of(inner) for key, inner in value.items()}
        return [self.taken_out_of(inner) for inner in value] if isinstance(value, list) else value
