"""How common words are in messages of programs, before anything has been learnt.

A store of fifty records cannot know that "command not found" says little: its own frequencies are too few. These rates
are the prior that stands in until it does. Measured once over 205,000 distinct messages of at least three words in the
programs and libraries of a Debian system (git, GNU tools, compilers, databases, container tools); the words of one band
share a rate.
"""

from __future__ import annotations

from typing import Final

# Messages in ten thousand that hold the word -> words.
_BANDS: Final = {
    600: ("to the not of is for in "),
    350: ("error failed file be with invalid type and no string "),
    180: ("or value name cannot data from number on key this size set an use must by context at has can function "),
    90: (
        "only as that expected are read found too argument unknown object could list memory null if unit unable "
        "internal all bytes non does line missing get used output new default when specified supported create "
        "directory option it but id out version command path section was field format cache target bad mode block "
        "code write empty address index table than end attribute after return buffer module warning have event "
        "time input node call options arguments more you available information stack run usage last see please "
        "instead returned exit trace did don there doesn try exists exist help your following unrecognized such "
        "commands exception done most terminated want nothing permission isn abort mean aborted caused maybe "
        "denied recent similar traceback meant choice perhaps "
    ),
    45: (
        "while message length entry one open state offset may files using request user find device range header "
        "counts source unexpected match certificate local load expression variable already group enable symbol "
        "allocate class parse count should any array start pointer map info client unsupported valid support will "
        "add long interface which required loop core do requires integer http instructions ignoring instruction "
        "current max given parameter select hash process into print register character thread maximum bit server "
        "unsigned debug allowed system location reading first stream without tag check signature other types "
        "before status element show static base root declaration multiple result spec response contains defined "
        "due space display reference extension because level page called verify "
    ),
    22: (
        "archive ignored remote access text extensions net specify remove point vector deprecated frame method "
        "record package link true zero values received flags resource store global been writing change wrong "
        "update operand functions setting same branch library packet flag false many requests image limit byte "
        "service config operation couldn per pattern program validation property uint different requested dump "
        "copy filter whether pass build none namespace large constant include socket channel test encoding agent "
        "policy alias sequence char handling entries up connection got names definition full control lock tree "
        "child profile signal port disable region enabled item container where illegal queue generate both during "
        "failure metadata warn parameters between window token private directive operator about allocator parent "
        "inline member mismatch template environment its duplicate handle log kind send binary public variables "
        "search conversion short self reads standard lines each next filename qs trying width egress changed ref "
        "shared content demand database delete partition compress total cloud kernel alloc uops tls symbols "
        "algorithm protocol created git detected here attempt password single segment upi residency creating "
        "small ssl occupancy least session prefix old dynamic parsing order ocr configuration llu make convert qd "
        "enter negative matching host float refer skipping messages "
    ),
}

RATES: Final[dict[str, float]] = {word: band / 10_000 for band, words in _BANDS.items() for word in words.split()}
