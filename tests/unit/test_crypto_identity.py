"""Where identities come from: every place, in order, and nothing usable is hidden by something broken."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.core
import keyring.errors
import pytest

from gitmem.crypto import lookup
from gitmem.crypto.identity import Ask, Identity, Unusable, create_identity, new_recovery
from gitmem.crypto.keyfile import parse_identities
from gitmem.crypto.keys import new_epoch, unwrap, wrap
from gitmem.crypto.lookup import Found, config_file, find_identities, has_keychain
from gitmem.crypto.signing import SigningKey
from gitmem.errors import GitmemError, NoKey, UsageError
from gitmem.memory.members.person import Person

CREATED = "2026-11-20T10:00:00Z"
needs_age = pytest.mark.skipif(shutil.which("age-keygen") is None, reason="no age-keygen on this machine: apt-get install age")
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen on this machine")


class MemoryKeychain(keyring.backend.KeyringBackend):  # type: ignore[misc]
    """A real keyring backend that holds one entry, or fails."""

    priority = 1

    def __init__(self, secret: str | None, error: Exception | None = None) -> None:
        super().__init__()
        self.secret = secret
        self.error = error

    def get_password(self, service: str, username: str) -> str | None:
        """The entry gitmem asks for."""
        if self.error:
            raise self.error
        return self.secret if (service, username) == ("gitmem", "identity") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        """gitmem only reads."""
        raise keyring.errors.PasswordSetError


def keychain(monkeypatch: pytest.MonkeyPatch, secret: str | None, error: Exception | None = None) -> dict[str, str]:
    """Install a keychain; returns the environment in which gitmem asks it."""
    monkeypatch.setattr(keyring.core, "_keyring_backend", MemoryKeychain(secret, error))
    return {"PYTHON_KEYRING_BACKEND": "chosen"}


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    """A file with its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def ssh_key(path: Path, *options: str, passphrase: str = "") -> Path:
    """A private key made by ssh-keygen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-C", "", "-N", passphrase, "-f", path, *options], check=True)
    return path


def sources(found: Found) -> list[str]:
    """Where each identity came from."""
    return [identity.source for identity in found]


def why(found: Found, place: str) -> str:
    """Why a place gave nothing."""
    list(found)
    return next(tried.why for tried in found.tried if tried.place.startswith(place))


def opens(identity: Identity, recipient: str) -> bool:
    """Whether the identity opens what is wrapped to the recipient."""
    key = new_epoch("team", 1)
    return unwrap(wrap(key, recipient), [identity], "team", key.epoch) == key


def test_every_place_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All places hold a key of their own: they come in the documented order."""
    keys = [new_recovery() for _ in range(6)]
    secrets = [key.reveal() for key in keys]
    option = write(tmp_path / "option", secrets[0])
    named = write(tmp_path / "named", secrets[2])
    printed = write(tmp_path / "printed", secrets[3])
    env = keychain(monkeypatch, secrets[4])
    env |= {"GITMEM_IDENTITY": secrets[1], "GITMEM_IDENTITY_FILE": str(named), "PATH": os.environ["PATH"]}
    env |= {"GITMEM_IDENTITY_CMD": f"cat '{printed}'", "XDG_CONFIG_HOME": str(tmp_path / "xdg")}
    own = write(tmp_path / "xdg/gitmem/identity.txt", secrets[5])
    found = find_identities(option, env=env, home=tmp_path)
    assert [identity.recipient for identity in found] == [key.recipient for key in keys]
    assert sources(found) == [
        f"--identity {option}",
        "GITMEM_IDENTITY",
        f"GITMEM_IDENTITY_FILE {named}",
        "GITMEM_IDENTITY_CMD",
        "OS keychain",
        str(own),
    ]
    assert found.warnings == []


@needs_ssh
def test_ssh_keys_only_if_asked(tmp_path: Path) -> None:
    """`~/.ssh` comes last, and only with the flag or GITMEM_SSH=1."""
    paths = [ssh_key(tmp_path / ".ssh" / name, "-t", name.removeprefix("id_")) for name in ("id_ed25519", "id_rsa")]
    assert why(find_identities(env={}, home=tmp_path), "~/.ssh") == "only if asked: GITMEM_SSH=1"
    for found in (
        find_identities(env={}, home=tmp_path, ssh=True),
        find_identities(env={"GITMEM_SSH": "1"}, home=tmp_path),
    ):
        assert sources(found) == [str(path) for path in paths]


def test_later_places_are_not_touched(tmp_path: Path) -> None:
    """The first identity that opens wins; a command behind it never runs, and a place is read once."""
    marker = tmp_path / "ran"
    mine = new_recovery()
    env = {"GITMEM_IDENTITY": mine.reveal(), "GITMEM_IDENTITY_CMD": f"touch {marker}", "PATH": os.environ["PATH"]}
    found = find_identities(env=env, home=tmp_path)
    key = new_epoch("team", 1)
    assert unwrap(wrap(key, mine.recipient), found, "team", key.epoch) == key
    assert not marker.exists()
    assert len(list(found)) == 1
    assert marker.exists()
    marker.unlink()
    assert len(list(found)) == 1
    assert not marker.exists()


def test_two_readers_share_what_was_read(tmp_path: Path) -> None:
    """Interleaved iterations see the same identities."""
    text = f"{new_recovery().reveal()}\n{new_recovery().reveal()}\n"
    found = find_identities(env={"GITMEM_IDENTITY": text}, home=tmp_path)
    first, second = iter(found), iter(found)
    head, everything = next(first), [*second]
    assert len(everything) == 2
    assert [head, *first] == everything == [*found]


def test_nothing_anywhere(tmp_path: Path) -> None:
    """An empty machine names every place, with the reason."""
    key = new_epoch("team", 1)
    found = find_identities(env={}, home=tmp_path)
    with pytest.raises(NoKey) as caught:
        unwrap(wrap(key, new_recovery().recipient), found, "team", key.epoch)
    for place in (
        "--identity (not set)",
        "GITMEM_IDENTITY (not set)",
        "GITMEM_IDENTITY_FILE (not set)",
        "GITMEM_IDENTITY_CMD (not set)",
        "OS keychain (none here)",
        f"{tmp_path}/.config/gitmem/identity.txt (no such file or directory)",
        "~/.ssh (only if asked: GITMEM_SSH=1)",
    ):
        if place.startswith("OS keychain") and sys.platform == "darwin":
            continue
        assert place in caught.value.message
    assert "--identity" in caught.value.hint


def test_a_wrong_key_tells_what_to_ask_for(tmp_path: Path) -> None:
    """Somebody with a key of their own is told how to become a member."""
    mine = new_recovery()
    key = new_epoch("team", 1)
    found = find_identities(env={"GITMEM_IDENTITY": mine.reveal()}, home=tmp_path)
    with pytest.raises(NoKey, match=r"GITMEM_IDENTITY \(its key does not open this\)") as caught:
        unwrap(wrap(key, new_recovery().recipient), found, "team", key.epoch)
    assert "gitmem join" in caught.value.hint


@needs_ssh
def test_one_unusable_key_never_blocks_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every place but the last is broken in a way of its own, and the last one opens."""
    good = ssh_key(tmp_path / ".ssh/id_rsa", "-t", "rsa")
    ssh_key(tmp_path / ".ssh/id_ed25519", "-t", "ed25519", passphrase="secret words")
    env = keychain(monkeypatch, None, RuntimeError("locked: hunter2"))
    env |= {"GITMEM_IDENTITY": "rubbish hunter2", "GITMEM_IDENTITY_FILE": str(tmp_path), "PATH": os.environ["PATH"]}
    env |= {"GITMEM_IDENTITY_CMD": "false", "GITMEM_SSH": "1"}
    write(tmp_path / ".config/gitmem/identity.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n")
    (tmp_path / "named").write_bytes(b"\xff")
    found = find_identities(tmp_path / "named", env=env, home=tmp_path)
    assert sources(found) == [str(good)]
    assert [tried.why for tried in found.tried] == [
        "is not text",
        "line 1 is no age identity (AGE-SECRET-KEY-1…)",
        "is a directory",
        "ended with exit code 1",
        "cannot be read: RuntimeError",
        "is no readable SSH private key",
        "has a passphrase, and there is no terminal to ask for it",
    ]
    assert "hunter2" not in f"{found!r} {found.no_key('it').message}"
    assert opens(next(iter(found)), next(iter(found)).recipient)


def test_a_named_file_that_is_not_there(tmp_path: Path) -> None:
    """Whoever names a key by `--identity` does not mean to sign with another."""
    with pytest.raises(NoKey, match=r"there is no identity file .*absent"):
        find_identities(tmp_path / "absent", env={}, home=tmp_path)


def test_no_new_identity_where_one_was_named(tmp_path: Path) -> None:
    """A locked password manager, or a key that does not open, is no reason to begin with another key."""
    for env in ({"GITMEM_IDENTITY_CMD": "false"}, {"GITMEM_IDENTITY": "no key"}):
        with pytest.raises(NoKey, match=next(iter(env))):
            Person(find_identities(env=env, home=tmp_path), env, tmp_path).identity()
    assert not config_file({}, tmp_path).exists()
    assert Person(find_identities(env={}, home=tmp_path), {}, tmp_path).identity()[1]


def test_a_bad_line_spoils_no_other(tmp_path: Path) -> None:
    """An identity file may hold several keys; the broken one is named by its line."""
    good = [new_recovery(), new_recovery()]
    text = f"# mine\n\n{good[0].reveal()}\r\nAGE-SECRET-KEY-1XX\nAGE-PLUGIN-YUBIKEY-1QQ\n  {good[1].reveal().lower()}  \n"
    identities, problems = parse_identities(text, "x", None)
    assert [identity.recipient for identity in identities] == [key.recipient for key in good]
    assert [identity.secret_bytes() for identity in identities] == [key.secret_bytes() for key in good]
    assert problems == [
        "line 4 is no age identity (AGE-SECRET-KEY-1…)",
        "line 5 needs an age plugin, which gitmem does not run",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "holds no key"),
        ("# only a comment\n", "holds no key"),
        ("age-encryption.org/v1\n-> scrypt", "itself encrypted"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", "itself encrypted"),
        ("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----", "no readable SSH private key"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no readable SSH private key"),
    ],
)
def test_what_is_no_identity(text: str, reason: str) -> None:
    """A text without any key says what it is instead."""
    with pytest.raises(Unusable, match=reason):
        parse_identities(text, "x", None)


def test_binary_rubbish(tmp_path: Path) -> None:
    """A file that is no text is skipped."""
    (tmp_path / "id").write_bytes(b"\xff\xfe\x00")
    found = find_identities(tmp_path / "id", env={}, home=tmp_path)
    assert why(found, "--identity") == "is not text"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_an_unreadable_file(tmp_path: Path) -> None:
    """A file that the caller may not read is skipped."""
    path = write(tmp_path / "id", new_recovery().reveal(), 0o000)
    assert why(find_identities(path, env={}, home=tmp_path), "--identity") == "permission denied"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(("mode", "fine"), [(0o440, True), (0o444, False)])
def test_a_file_that_somebody_else_gave_to_a_group(tmp_path: Path, mode: int, fine: bool) -> None:
    """A mounted secret of root and a group is meant to be read by that group, and by nobody else."""
    path = write(tmp_path / "id", new_recovery().reveal(), mode)
    os.chown(path, 65534, os.getegid())
    found = find_identities(path, env={}, home=tmp_path)
    assert len(list(found)) == 1
    assert (found.warnings == []) is fine


def test_a_file_that_others_can_read_is_used_with_a_warning(tmp_path: Path) -> None:
    """The key works, and `doctor` has something to say."""
    path = write(tmp_path / "id", new_recovery().reveal(), 0o640)
    found = find_identities(path, env={}, home=tmp_path)
    assert len(list(found)) == 1
    assert str(found.warnings[0]) == f"{path} (others can read it (mode 0640): chmod 600 {path})"


def test_a_pipe_can_be_named(tmp_path: Path) -> None:
    """`--identity <(age -d key.age)` works, and is no file with wrong permissions."""
    read, write_end = os.pipe()
    os.write(write_end, new_recovery().reveal().encode())
    os.close(write_end)
    found = find_identities(Path(f"/dev/fd/{read}"), env={}, home=tmp_path)
    assert len(list(found)) == 1
    assert found.warnings == []
    os.close(read)


def test_the_home_directory_is_the_one_given(tmp_path: Path) -> None:
    """`~/` in GITMEM_IDENTITY_FILE, and the default config file, start at the home that was passed in."""
    write(tmp_path / "keys/id", new_recovery().reveal())
    found = find_identities(env={"GITMEM_IDENTITY_FILE": "~/keys/id"}, home=tmp_path)
    assert sources(found) == ["GITMEM_IDENTITY_FILE ~/keys/id"]
    assert config_file({}, tmp_path) == tmp_path / ".config/gitmem/identity.txt"
    assert config_file({"XDG_CONFIG_HOME": "relative"}, tmp_path) == tmp_path / ".config/gitmem/identity.txt"


def test_the_process_environment_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the edge leaves `env` and `home` out."""
    monkeypatch.setenv("GITMEM_IDENTITY", new_recovery().reveal())
    assert sources(find_identities()) == ["GITMEM_IDENTITY"]


def test_the_command_gets_no_shell_and_no_secret(tmp_path: Path) -> None:
    """Its words are not expanded, it sees no identity variable, and it has no input to wait for."""
    code = "import os, sys; print(sys.argv[1:], 'GITMEM_IDENTITY' in os.environ, sys.stdin.read(), file=open('seen', 'w'))"
    script = write(tmp_path / "say.py", f"import os; os.chdir({str(tmp_path)!r})\n{code}")
    env = {"GITMEM_IDENTITY": "rubbish", "GITMEM_IDENTITY_CMD": f"{sys.executable} {script} '$HOME;' `x`"}
    assert why(find_identities(env=env, home=tmp_path), "GITMEM_IDENTITY_CMD") == "holds no key"
    assert (tmp_path / "seen").read_text() == "['$HOME;', '`x`'] False \n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("gitmem-no-such-program", "cannot be run: No such file or directory"),
        ("printf 'oops", "cannot be run: No closing quotation"),
        ("printf '\\377'", "is not text"),
        ("false", "ended with exit code 1"),
        ("true", "holds no key"),
    ],
)
def test_a_command_that_fails(tmp_path: Path, command: str, reason: str) -> None:
    """The reason names what happened; the next place is tried."""
    env = {"GITMEM_IDENTITY_CMD": command, "PATH": os.environ["PATH"]}
    assert why(find_identities(env=env, home=tmp_path), "GITMEM_IDENTITY_CMD") == reason


def test_a_command_that_never_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password manager that waits for somebody is given up, and what it had begun is not waited for."""
    monkeypatch.setattr(lookup, "_COMMAND_SECONDS", 0.2)
    script = write(
        tmp_path / "pass", f"#!/bin/sh\n(sleep 25; touch {tmp_path}/ended) &\necho AGE-SECRET-KEY-1\nsleep 30\n", 0o700
    )
    env = {"GITMEM_IDENTITY_CMD": str(script), "PATH": os.environ["PATH"]}
    assert why(find_identities(env=env, home=tmp_path), "GITMEM_IDENTITY_CMD") == "printed nothing within 0.2 s"
    assert not (tmp_path / "ended").exists()


def test_a_keychain_without_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keychain that holds nothing of gitmem's says which entry it was asked for."""
    env = keychain(monkeypatch, None)
    reason = why(find_identities(env=env, home=tmp_path), "OS keychain")
    assert reason == "holds no entry for service gitmem, user identity"


def test_when_a_keychain_can_exist(tmp_path: Path) -> None:
    """keyring is imported only where there is something to ask."""
    assert not has_keychain({"XDG_RUNTIME_DIR": str(tmp_path)}, tmp_path, "linux")
    assert has_keychain({}, tmp_path, "darwin")
    assert has_keychain({"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}, tmp_path, "linux")
    assert has_keychain({"PYTHON_KEYRING_BACKEND": "x"}, tmp_path, "linux")
    write(tmp_path / "run/bus", "")
    assert has_keychain({"XDG_RUNTIME_DIR": str(tmp_path / "run")}, tmp_path, "linux")
    write(tmp_path / ".config/python_keyring/keyringrc.cfg", "")
    assert has_keychain({}, tmp_path, "linux")


def test_looking_up_a_file_imports_no_keyring(tmp_path: Path) -> None:
    """80 ms are paid only by who has a keychain."""
    code = (
        "import sys, pathlib; from gitmem.crypto.lookup import find_identities; "
        "list(find_identities(env={}, home=pathlib.Path('/nonexistent'))); print('keyring' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ("True" if sys.platform == "darwin" else "False")


def answering(answer: str | None, prompts: list[str]) -> Ask:
    """Somebody at a terminal."""

    def ask(prompt: str) -> str | None:
        prompts.append(prompt)
        return answer

    return ask


@pytest.fixture(params=["openssh", "pem"])
def locked_key(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """An SSH key with the passphrase `secret words`, in OpenSSH's own form and in PEM."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen on this machine")
    if request.param == "pem":
        yield ssh_key(tmp_path / "key", "-t", "rsa", "-m", "PEM", passphrase="secret words")
        return
    pytest.importorskip("bcrypt", reason="OpenSSH's passphrases need the package bcrypt")
    yield ssh_key(tmp_path / "key", "-t", "ed25519", passphrase="secret words")


def test_an_encrypted_ssh_key_asks(locked_key: Path, tmp_path: Path) -> None:
    """With somebody to ask, the passphrase opens the key, and it decrypts."""
    prompts: list[str] = []
    found = find_identities(locked_key, env={}, home=tmp_path, ask=answering("secret words", prompts))
    identity = next(iter(found))
    assert prompts == [f"Passphrase for --identity {locked_key}: "]
    assert opens(identity, locked_key.with_suffix(".pub").read_text())


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("wrong words", "does not open with that passphrase"),
        ("", "has a passphrase, and none was given"),
        (None, "has a passphrase, and none was given"),
    ],
)
def test_a_wrong_passphrase_blocks_nothing(locked_key: Path, tmp_path: Path, answer: str | None, reason: str) -> None:
    """The key is skipped with the reason, and the next place is tried."""
    env = {"GITMEM_IDENTITY": new_recovery().reveal()}
    found = find_identities(locked_key, env=env, home=tmp_path, ask=answering(answer, []))
    assert sources(found) == ["GITMEM_IDENTITY"]
    assert why(found, "--identity") == reason


@needs_ssh
def test_ssh_keys_age_cannot_use(tmp_path: Path) -> None:
    """ECDSA and short RSA keys are skipped, each with its reason."""
    ecdsa = ssh_key(tmp_path / "ecdsa", "-t", "ecdsa")
    short = ssh_key(tmp_path / "short", "-t", "rsa", "-b", "1024")
    assert "Ed25519 and RSA only" in why(find_identities(ecdsa, env={}, home=tmp_path), "--identity")
    assert "of 1024 bits" in why(find_identities(short, env={}, home=tmp_path), "--identity")


@needs_ssh
@pytest.mark.parametrize("kind", ["ed25519", "rsa"])
def test_an_ssh_secret_does_not_depend_on_the_file(tmp_path: Path, kind: str) -> None:
    """Another comment or file format is the same key: whoever re-wraps a key signs as before."""
    path = ssh_key(tmp_path / "key", "-t", kind)
    before = parse_identities(path.read_text(), "x", None)[0][0]
    subprocess.run(["ssh-keygen", "-q", "-c", "-C", "a new comment", "-f", path], check=True, capture_output=True)
    commented = parse_identities(path.read_text(), "x", None)[0][0]
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "", "-m", "PEM", "-f", path], check=True, capture_output=True)
    converted = parse_identities(path.read_text(), "x", None)[0][0]
    assert before.secret_bytes() == commented.secret_bytes() == converted.secret_bytes()
    assert before.recipient == commented.recipient == converted.recipient
    public = SigningKey.derive(before.secret_bytes(), "store").public
    assert SigningKey.derive(converted.secret_bytes(), "store").public == public


def test_create_identity(tmp_path: Path) -> None:
    """The file is private, opens what is wrapped to it, and is found where it was put."""
    path = config_file({}, tmp_path)
    made = create_identity(path, CREATED)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.read_text() == f"# created: {CREATED}\n# public key: {made.recipient}\n{made.reveal()}\n"
    found = find_identities(env={}, home=tmp_path)
    assert sources(found) == [str(path)]
    assert found.warnings == []
    assert opens(next(iter(found)), made.recipient)


def test_an_identity_is_never_overwritten(tmp_path: Path) -> None:
    """Losing one would lose a store."""
    path = write(tmp_path / "id", "precious")
    with pytest.raises(UsageError, match="exists"):
        create_identity(path, CREATED)
    assert path.read_text() == "precious"


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """The error is one for users, and nothing is left behind."""
    write(tmp_path / "file", "")
    with pytest.raises(GitmemError, match="cannot write"):
        create_identity(tmp_path / "file/id", CREATED)


def test_a_full_disk_leaves_no_half_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file whose bytes did not reach the disk is taken away again."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(GitmemError, match="No space left"):
        create_identity(tmp_path / "id", CREATED)
    assert not (tmp_path / "id").exists()


def test_recovery_identities_differ() -> None:
    """Each is made afresh, in memory."""
    assert new_recovery().reveal() != new_recovery().reveal()


def test_secrets_stay_out_of_sight() -> None:
    """Neither representations nor failures show a secret."""
    identity = new_recovery()
    assert identity.reveal() not in repr(identity)
    assert identity.recipient[:32] in repr(identity)
    broken = identity.reveal()[:-1]
    try:
        _, problems = parse_identities(broken, "x", None)
    except Unusable as error:
        problems = traceback.format_exception(error)
    assert broken[20:40] not in "".join(problems)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become a user that nobody knows")
def test_nobody_has_no_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id without a name and HOME, as some containers have it, is told so."""
    monkeypatch.delenv("HOME")
    child = os.fork()
    if child == 0:
        try:
            os.setuid(54_321)
            find_identities(env={})
        except NoKey as error:
            os._exit(7 if "HOME" in error.hint else 1)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


@needs_age
def test_the_file_is_an_age_identity_file(tmp_path: Path) -> None:
    """age and age-keygen read ours, and we read theirs."""
    ours = create_identity(tmp_path / "ours", CREATED)
    shown = subprocess.run(["age-keygen", "-y", tmp_path / "ours"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == ours.recipient
    subprocess.run(["age-keygen", "-o", tmp_path / "theirs"], capture_output=True, check=True)
    theirs = next(iter(find_identities(tmp_path / "theirs", env={}, home=tmp_path)))
    for identity, name in ((ours, "ours"), (theirs, "theirs")):
        data = wrap(new_epoch("team", 1), identity.recipient)
        opened = subprocess.run(["age", "-d", "-i", tmp_path / name], input=data, capture_output=True, check=True)
        assert opened.stdout.startswith(b"gitmem-epoch: 1\n")


@needs_age
def test_an_encrypted_identity_through_the_command(tmp_path: Path) -> None:
    """What a file cannot be, a command can decrypt: GITMEM_IDENTITY_CMD='age -d -i outer inner.age'."""
    inner = new_recovery()
    outer = create_identity(tmp_path / "outer", CREATED)
    encrypted = subprocess.run(
        ["age", "-r", outer.recipient], input=inner.reveal().encode(), capture_output=True, check=True
    ).stdout
    (tmp_path / "inner.age").write_bytes(encrypted)
    command = f"age -d -i {tmp_path / 'outer'} {tmp_path / 'inner.age'}"
    found = find_identities(env={"GITMEM_IDENTITY_CMD": command, "PATH": os.environ["PATH"]}, home=tmp_path)
    assert next(iter(found)).recipient == inner.recipient
