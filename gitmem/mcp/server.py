"""The MCP server: tool calls from an agent, over stdio, to the facade.

The store is opened anew for each call. Other processes write to it and pulls change its keys, kinds and members, and an opened
store holds some of that; opening takes a hundredth of the second that an agent's turn takes. What is kept is the identities, so
that a keychain or a command is asked once. Calls run in a worker thread, one after the other, and a write is on the disk before
its answer leaves. When the client goes or ends the server, what it wrote is committed, as `gitmem commit` would.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitmem import __version__
from gitmem.crypto.lookup import find_identities
from gitmem.errors import GitmemError, NoKey
from gitmem.mcp.arguments import checked
from gitmem.mcp.calls import CALLS, Answer, warned
from gitmem.mcp.catalog import INSTRUCTIONS, TOOLS
from gitmem.mcp.quoting import visible
from gitmem.memory.context import Context
from gitmem.memory.members.scopes import agent_name
from gitmem.memory.memory import Memory
from gitmem.memory.privacy.redaction import own_names
from gitmem.store.kinds import Kinds
from gitmem.store.opening import open_store

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolResult, ListToolsResult


class Desk:
    """Answers calls for the store at or above `path`; `env` is the environment to look for identities and the agent's name in.

    What the `agent` records is its own, unless a call names a scope. Raises UsageError for what is no name.
    """

    def __init__(
        self, path: Path, *, identity: Path | None = None, env: Mapping[str, str] | None = None, agent: str | None = None
    ) -> None:
        env = os.environ if env is None else env
        self._path = path.absolute()
        self._agent = agent_name(agent, env)
        self._look = partial(find_identities, identity, env=env)
        self._identities = self._look()
        self._names = own_names(env)
        self._wrote = False

    def check(self) -> None:
        """Raise GitmemError if there is no usable store. A missing key is left to the calls: it may come while we run."""
        self._open([]).close()

    def answer(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Answer one call. Raises GitmemError for what the caller can act on."""
        arguments = checked(tool, TOOLS[tool].arguments, arguments)
        warnings: list[str] = []
        if self._identities.came_to_nothing:  # in a call that did without, as the status does
            self._identities = self._look()
        try:
            with self._open(warnings) as memory:
                answer = CALLS[tool](memory, arguments)
        except NoKey:
            self._identities = self._look()  # the next call looks again: the key may have come by then
            raise
        self._wrote |= answer.wrote
        return warned(answer, warnings)

    def close(self) -> None:
        """Commit what was written. What cannot be committed now is safe in the journal, and the next commit has it."""
        if not self._wrote:
            return
        try:
            with self._open([]) as memory:
                memory.commit()
        except GitmemError as error:
            _log(f"not committed yet, and nothing is lost: {error.message}")

    def _open(self, warnings: list[str]) -> Memory:
        store = open_store(self._path, self._identities)
        return Memory(Context(store, Kinds(store.root), warn=warnings.append, agent=self._agent, names=self._names))


def serve(
    path: str | Path = ".", *, identity: Path | None = None, env: Mapping[str, str] | None = None, agent: str | None = None
) -> None:
    """Serve the store at or above `path` on stdin and stdout until the client closes them; SIGINT and SIGTERM end the process.

    `identity` names a key file, `env` is the environment to look for one in (the process's own by default), `agent` is the
    agent that is served (GITMEM_AGENT by default), to which what it records belongs. Raises GitmemError (NoStore, …) before the
    first message if there is no usable store; a missing key is an error of the calls that need it.
    """
    desk = Desk(Path(path), identity=identity, env=env, agent=agent)
    desk.check()
    import anyio  # with the SDK 0.6 s: a host with a wrong path is told at once

    try:
        anyio.run(_serve, desk)
    finally:
        desk.close()


async def _serve(desk: Desk) -> None:
    import anyio
    from mcp.server.stdio import stdio_server

    one_at_a_time = anyio.CapacityLimiter(1)
    server = _server(desk, one_at_a_time)
    async with anyio.create_task_group() as beside, stdio_server() as (incoming, outgoing):
        beside.start_soon(_end_when_told, desk, one_at_a_time)
        await server.run(incoming, outgoing, server.create_initialization_options())
        beside.cancel_scope.cancel()


async def _end_when_told(desk: Desk, one_at_a_time: CapacityLimiter) -> None:
    """On Ctrl-C or SIGTERM let the call under way end, commit, and be gone: the thread that waits for the client cannot be."""
    import anyio
    import anyio.to_thread

    heeded = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]
    with anyio.open_signal_receiver(*heeded) as signals:
        async for number in signals:
            await anyio.to_thread.run_sync(desk.close, limiter=one_at_a_time)
            _log(f"ended by {number.name}")
            os._exit(128 + number)


def _server(desk: Desk, one_at_a_time: CapacityLimiter) -> Server[Any]:
    import anyio.to_thread
    import mcp_types as types
    from mcp import MCPError
    from mcp.server.lowlevel import Server

    async def list_tools(_: Any, __: types.PaginatedRequestParams | None) -> ListToolsResult:
        return types.ListToolsResult(tools=_listed())

    async def call_tool(_: Any, asked: types.CallToolRequestParams) -> CallToolResult:
        if asked.name not in TOOLS:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {asked.name[:64]!r}; tools: {', '.join(TOOLS)}")
        return await anyio.to_thread.run_sync(_result, desk, asked.name, asked.arguments or {}, limiter=one_at_a_time)

    return Server("gitmem", version=__version__, instructions=INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool)


def _listed() -> list[Any]:
    from mcp_types import Tool, ToolAnnotations

    return [
        Tool(
            name=tool.name,
            description=tool.description,
            input_schema=tool.arguments,
            output_schema=tool.result,
            annotations=ToolAnnotations(read_only_hint=tool.reads, destructive_hint=False, open_world_hint=False),
        )
        for tool in TOOLS.values()
    ]


def _result(desk: Desk, tool: str, arguments: Mapping[str, Any]) -> CallToolResult:
    from mcp_types import CallToolResult, TextContent

    try:
        answer = desk.answer(tool, arguments)
    except GitmemError as error:
        return _failed(error)
    except Exception as error:  # a bug of ours must not take the agent's session down
        _log(traceback.format_exc())
        what = f"gitmem failed unexpectedly ({type(error).__name__})"
        return _failed(GitmemError(what, "the server's stderr says where; `gitmem doctor` checks the store"))
    return CallToolResult(content=[TextContent(type="text", text=answer.text)], structured_content=answer.data)


def _failed(error: GitmemError) -> CallToolResult:
    """A tool error: the model reads it and tries again, or tells its user."""
    from mcp_types import CallToolResult, TextContent

    text = f"error: {visible(error.message)}" + (f"\nhint: {visible(error.hint)}" if error.hint else "")
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)


def _log(text: str) -> None:
    sys.stderr.write(f"gitmem mcp: {text}\n")
