"""The server as a process: several clients, other writers, sudden death, and stores that cannot be served."""

from __future__ import annotations

import signal
from pathlib import Path

import anyio

from tests.mcp.agent import agent, call, play, refused, wire
from tests.support.cli import Cli
from tests.support.git import Git

LESSON = {"pattern": "E77: lease lost on <*>", "fix": "Renew the lease."}


def test_two_clients_at_once(store: Path) -> None:
    """Two agents, each with many calls in flight: one record for one pattern, and an exact count."""

    async def scene() -> None:
        async with agent(store) as one, agent(store) as two:
            made = await call(one, "memory_learn", **LESSON)
            again = await call(two, "memory_learn", **LESSON)
            assert (again["id"], again["created"]) == (made["id"], False)

            async def use(client: object, fixed: bool) -> None:
                await call(client, "memory_used", id=made["id"], fixed=fixed)

            async with anyio.create_task_group() as uses:
                for _ in range(10):
                    uses.start_soon(use, one, True)
                    uses.start_soon(use, two, False)
            usage = (await call(two, "memory_get", id=made["id"]))["usage"]
            assert (usage["fixed"], usage["failed"]) == (10, 10)

    play(scene)


def test_sees_what_others_write(store: Path, cli: Cli) -> None:
    """A running server finds what the command line has learned since, and the other way round."""

    async def scene() -> None:
        async with agent(store) as client:
            assert (await call(client, "memory_match", text="E77: lease lost on shard 3"))["matches"] == []
            learn = ("learn", "--pattern", LESSON["pattern"], "--fix", LESSON["fix"], "--json")
            made = (await anyio.to_thread.run_sync(lambda: cli(*learn, cwd=store).ok())).json
            found = (await call(client, "memory_match", text="E77: lease lost on shard 3"))["matches"]
            assert [match["id"] for match in found] == [made["id"]]
            await call(client, "memory_used", id=made["id"], fixed=True)
            shown = (await anyio.to_thread.run_sync(lambda: cli("show", made["id"], "--json", cwd=store).ok())).json
            assert shown["usage"]["fixed"] == 1

    play(scene)


def test_a_write_is_durable_before_its_answer(store: Path, cli: Cli) -> None:
    """Killed the moment an answer is there, the server has lost nothing; told to end, it commits first."""
    with wire(store) as server:
        answer = server.ask("tools/call", {"name": "memory_learn", "arguments": LESSON})
        server.process.kill()
    made = answer["result"]["structuredContent"]["id"]
    with wire(store) as server:
        server.ask("tools/call", {"name": "memory_used", "arguments": {"id": made, "fixed": True}})
        server.process.terminate()
        assert server.process.wait(30) == 128 + signal.SIGTERM
    assert cli("status", "--json", cwd=store).ok().json["pending"] == 0
    shown = cli("show", made, "--json", cwd=store).ok().json
    assert (shown["fields"]["fix"], shown["usage"]["fixed"]) == (LESSON["fix"], 1)


def test_commits_when_the_client_leaves(store: Path, cli: Cli) -> None:
    """One commit for all that a session wrote, none for a session that only read."""
    git = Git(store)
    before = git("rev-list", "--count", "HEAD").strip()

    async def scene() -> None:
        async with agent(store) as client:
            made = await call(client, "memory_learn", **LESSON)
            await call(client, "memory_used", id=made["id"], fixed=True)
        async with agent(store) as client:
            assert (await call(client, "memory_status"))["pending"] == 0

    play(scene)
    assert int(git("rev-list", "--count", "HEAD")) == int(before) + 1
    assert cli("audit", "verify", "--json", cwd=store).ok().json["ok"] is True


def test_no_store(cli: Cli, tmp_path: Path) -> None:
    """Started where there is no store it ends at once: words on stderr, the documented exit code, nothing on stdout."""
    ended = cli("mcp").expect(10)
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert "\nhint: " in ended.err
    assert "Traceback" not in ended.err


def test_no_key(store: Path, home: Path) -> None:
    """Without a key calls are refused with the places that were tried, and work again once the key is there."""
    identity = home / ".config" / "gitmem" / "identity.txt"
    away = home / "away.txt"

    async def scene() -> None:
        async with agent(store) as client:
            await call(client, "memory_learn", **LESSON)
        identity.rename(away)
        async with agent(store) as client:
            assert (await call(client, "memory_status"))["records"] is None
            for tool, arguments in (("memory_learn", LESSON), ("memory_match", {"text": "E77: lease lost on 4"})):
                text = await refused(client, tool, **arguments)
                assert "GITMEM_IDENTITY_FILE" in text
                assert "\nhint: " in text
            status = await call(client, "memory_status")
            assert (status["records"], status["conflicts"]) == (None, None), "only a key could tell"
            away.rename(identity)
            assert (await call(client, "memory_match", text="E77: lease lost on 4"))["matches"]
        identity.rename(away)
        async with agent(store, GITMEM_IDENTITY_FILE=str(away)) as client:
            assert (await call(client, "memory_match", text="E77: lease lost on 4"))["matches"]

    play(scene)


def test_the_store_goes_away(store: Path) -> None:
    """A store that disappears under a running server is a tool error, not the end of the session."""

    async def scene() -> None:
        async with agent(store) as client:
            await call(client, "memory_status")
            store.rename(store.with_name("elsewhere"))
            assert "\nhint: " in await refused(client, "memory_status")
            store.with_name("elsewhere").rename(store)
            await call(client, "memory_status")

    play(scene)
