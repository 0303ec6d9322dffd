"""What an acknowledged write costs beside the barest durable write there is.

    python -m bench.writes

`used` against one fsynced append, `learn` against one durable file (temporary file, fsync, rename, fsync of the directory).
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from bench.common import founded, in_turn, lessons, place, row
from gitmem.memory.recording.learn import learn

TIMES = 300
SIZE = 1500  # bytes: about what a record file has


def main() -> None:
    """Measure and print."""
    with place() as folder, founded(folder / "store") as memory:
        drawn = lessons(memory, 2 * TIMES + 1)
        record = learn(memory.context, next(drawn))
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        (folder / "files").mkdir()
        append, used, file, taught = in_turn(
            [
                lambda: _append(log),
                lambda: memory.used(record.id, fixed=True, ms=12),
                lambda: _durable_file(folder / "files"),
                lambda: learn(memory.context, next(drawn)),
            ],
            TIMES,
        )
        os.close(log)
    row("used / one fsynced append", used / append, "x", "<= 3", f"{used * 1e3:.2f} ms")
    row("learn / one durable file write", taught / file, "x", "<= 4", f"{taught * 1e3:.2f} ms")


def _append(descriptor: int) -> None:
    os.write(descriptor, b"x" * 400)
    os.fsync(descriptor)


def _durable_file(folder: Path) -> None:
    temporary = folder / "temporary"
    with temporary.open("wb") as file:
        file.write(b"x" * SIZE)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(folder / str(time.perf_counter_ns()))
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


if __name__ == "__main__":
    main()
