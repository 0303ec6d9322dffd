"""Backups beyond this machine, through fsspec: S3, GCS, Azure, SFTP, WebDAV and what else it knows.

fsspec and the library of a protocol are not among what gitmem needs: they are imported when a URL asks for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gitmem.errors import GitmemError, RemoteError, UsageError
from gitmem.git.remote_words import without_password

_CHECK: Final = "check the address, the network and your rights there"


def remote_destination(url: str, below: str) -> _Remote:
    """The place that a URL names, or the directory `below` it. Raises UsageError, GitmemError where a library is missing."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise GitmemError("backups to a URL need fsspec", "pip install 'gitmem-store[remote]'") from None
    shown = without_password(f"{url.rstrip('/')}/{below}".rstrip("/"))
    try:
        filesystem, path = url_to_fs(url)
    except ImportError as error:
        raise GitmemError(f"{shown} needs a library: {error}", "install it beside gitmem") from None
    except ValueError as error:
        raise UsageError(f"{shown} is no place for backups: {error}", "name a directory or a URL: --to s3://bucket") from None
    except Exception as error:  # some connect at once
        raise _failed("connect", shown, error, urlsplit(url).password) from error
    return _Remote(filesystem, "/".join(filter(None, (path.rstrip("/"), below))), shown, urlsplit(url).password)


class _Remote:
    def __init__(self, filesystem: Any, path: str, shown: str, password: str | None) -> None:
        self.shown = shown
        self._fs = filesystem
        self._path = path
        self._password = password

    def names(self) -> list[str]:
        return sorted(self.sizes())

    def sizes(self) -> dict[str, int | None]:
        with self._told("list the backups"):
            self._fs.invalidate_cache()
            try:
                found = self._fs.ls(self._path, detail=True)
            except FileNotFoundError:
                return {}
            return {str(one["name"]).rstrip("/").rpartition("/")[2]: one.get("size") for one in found}

    def read(self, name: str, limit: int) -> bytes | None:
        with self._told(f"read {name}"):
            try:
                with self._fs.open(self._at(name), "rb") as file:
                    data = bytes(file.read(limit + 1))
            except FileNotFoundError:
                return None
        return data

    def fetch(self, name: str, folder: Path) -> Path | None:
        with self._told(f"read {name}"):
            try:
                self._fs.get_file(self._at(name), str(folder / name))
            except FileNotFoundError:
                return None
        return folder / name

    def spool(self, folder: Path) -> Path:
        return folder

    def put(self, name: str, file: Path) -> None:
        with self._told(f"write {name}"):
            self._make()
            self._fs.put_file(str(file), self._at(name))
            self._check(name, file.stat().st_size)
        file.unlink()

    def add(self, name: str, data: bytes) -> bool:
        with self._told(f"write {name}"):
            self._make()
            self._fs.invalidate_cache()
            if self._fs.exists(self._at(name)) or not self._create(name, data):
                return False
            self._check(name, len(data))
        return True

    def remove(self, name: str) -> None:
        with self._told(f"remove {name}"):
            self._fs.invalidate_cache()
            if self._fs.exists(self._at(name)):
                self._fs.rm_file(self._at(name))

    def _make(self) -> None:
        """Make the directory, and the one above it. What is above that must be there: a slip of the hand makes no bucket."""
        above = self._path.rpartition("/")[0]
        try:
            self._mkdir(self._path)
        except FileNotFoundError:
            self._mkdir(above)
            self._mkdir(self._path)

    def _mkdir(self, path: str) -> None:
        with suppress(FileExistsError):
            self._fs.mkdir(path, create_parents=False)

    def _create(self, name: str, data: bytes) -> bool:
        """Write a file in one step that fails where it is there, if the place knows such a step; else in one step."""
        try:
            self._fs.pipe_file(self._at(name), data, mode="create")
        except FileExistsError:
            return False
        except (NotImplementedError, TypeError):
            self._fs.pipe_file(self._at(name), data)
        return True

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"

    def _check(self, name: str, size: int) -> None:
        self._fs.invalidate_cache()
        held = self._fs.info(self._at(name))["size"]
        if held != size:
            raise RemoteError(f"{self.shown} holds {held:,} bytes of {name}, not {size:,}", "run the command again")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Put the failures of any of fsspec's libraries into words: each has errors of its own."""
        try:
            yield
        except GitmemError:
            raise
        except Exception as error:
            raise _failed(what, self.shown, error, self._password) from error


def _failed(what: str, shown: str, error: Exception, password: str | None) -> RemoteError:
    said = " ".join(str(error).split())[:300] or type(error).__name__
    said = said.replace(password, "***") if password else said
    return RemoteError(f"cannot {what} at {shown}: {said}", _CHECK)
