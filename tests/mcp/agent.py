"""An agent: the SDK's own client at the other end of a real `gitmem mcp`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult

from tests.support.cli import GITMEM


def play(scene: Callable[[], Awaitable[None]]) -> None:
    """Run an asynchronous test to its end, within a minute."""

    async def bounded() -> None:
        with anyio.fail_after(60):
            await scene()

    try:
        anyio.run(bounded)
    except BaseExceptionGroup as group:  # the client's task groups wrap what a test raises
        raise _innermost(group) from None


def _innermost(error: BaseException) -> BaseException:
    return _innermost(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error


@asynccontextmanager
async def agent(store: Path, **env: str) -> AsyncIterator[Client]:
    """A client of a `gitmem mcp`, as PATH has it, that was started in `store`; `env` adds to the test's environment."""
    server = StdioServerParameters(command="gitmem", args=["mcp"], cwd=store, env=dict(os.environ) | env)
    async with Client(server) as client:
        yield client


def text_of(result: CallToolResult) -> str:
    """What the model reads of a result."""
    return "\n".join(block.text for block in result.content if block.type == "text")


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """The structured answer of a call that has to succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """What the model reads of a call that has to be a tool error."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error, text_of(result)
    text = text_of(result)
    assert text.startswith("error: ")
    assert "Traceback" not in text
    return text


class Wire:
    """The protocol by hand, for what no client does: sudden death."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._number = 0

    def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its response."""
        self._number += 1
        self._send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        assert self.process.stdout
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert found["id"] == self._number
        return found

    def greet(self) -> None:
        """The handshake."""
        client = {"name": "test", "version": "1"}
        self.ask("initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client})
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()


@contextmanager
def wire(store: Path) -> Iterator[Wire]:
    """A `gitmem mcp` in `store` that is killed at the end, if it still lives."""
    with subprocess.Popen([GITMEM, "mcp"], cwd=store, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        made = Wire(process)
        made.greet()
        yield made
        process.kill()
