"""What people have in their git configuration does a store no harm: whichever way, the tree is that of the core."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from tests.git.matrix import BY_FILE_UNSETTLED, SCENARIOS, WAYS, Scenario, Way, build, expected, go_on, staged, store_files
from tests.git.stores import clean, tree
from tests.support.git import Git
from tests.support.stores import EFFORT

MakeRepo = Callable[..., Git]

CONFIGS = [
    "merge.renames=true",
    "merge.renames=false",
    "merge.renames=copies",
    "diff.renames=false",
    "diff.mnemonicPrefix=true",
    "core.autocrlf=true",
    "core.autocrlf=input",
    "core.eol=crlf",
    "core.autocrlf=true core.safecrlf=warn",
    "merge.conflictStyle=diff3",
    "merge.conflictStyle=zdiff3",
    "merge.ff=false",
    "pull.twohead=ort",
    "pull.twohead=resolve",
    "pull.rebase=true",
    "rebase.backend=apply",
    "rerere.enabled=true rerere.autoUpdate=true",
    "core.ignoreCase=true",
    "core.quotePath=false",
    "core.splitIndex=true",
    "core.untrackedCache=true",
    "core.whitespace=tab-in-indent,trailing-space,space-before-tab apply.whitespace=fix",
    "core.hooksPath=.no-hooks",
    "core.attributesFile=attributes.union",
    "core.attributesFile=attributes.text",
    "core.excludesFile=excludes",
    "feature.manyFiles=true",
    "index.version=4",
    "commit.gpgSign=false",
    "i18n.commitEncoding=ISO-8859-1 i18n.logOutputEncoding=ISO-8859-1",
    "status.showUntrackedFiles=no status.relativePaths=true status.branch=true",
    "submodule.recurse=true",
    "extensions.worktreeConfig=true",
]
MORE = [
    "merge.directoryRenames=true",
    "merge.renameLimit=1",
    "diff.renames=copies",
    "diff.algorithm=patience",
    "merge.autoStash=true rebase.autoStash=true",
    "merge.stat=false merge.log=true",
    "pull.rebase=merges",
    "pull.ff=true",
    "rebase.autoSquash=true rebase.updateRefs=true",
    "rebase.missingCommitsCheck=error",
    "core.preloadIndex=false",
    "core.precomposeUnicode=true core.protectNTFS=true core.protectHFS=true",
    "core.fileMode=false",
    "core.trustctime=false core.checkStat=minimal",
    "core.commentChar=;",
    "core.abbrev=4",
    "core.logAllRefUpdates=always",
    "feature.experimental=true",
    "index.version=2 index.threads=1",
    "index.sparse=true",
    "commit.verbose=2 commit.cleanup=verbatim",
    "log.showSignature=true log.date=relative format.pretty=oneline",
    "color.ui=always",
    "user.useConfigOnly=true",
    "am.threeWay=true am.keepcr=true",
    "stash.showIncludeUntracked=true",
    "checkout.defaultRemote=origin advice.detachedHead=false",
    "gc.auto=1 maintenance.auto=true",
]
FILES = {
    "attributes.union": "* merge=union\n",
    "attributes.text": "* text=auto eol=crlf ident\n*.yaml text eol=crlf\n",
    "excludes": "log/\n*.log\nmemory\n*.yaml\n.gitmem\n",
}


def _cells() -> list[tuple[str, Scenario, Way]]:
    """Each configuration with one pair of scenario and way; when thorough, with six."""
    pairs = [(scenario, way) for way in WAYS for scenario in SCENARIOS if way.whole or scenario.name not in BY_FILE_UNSETTLED]
    step = cycle(pairs[number * 37 % len(pairs)] for number in range(len(pairs)))  # 37 is prime: all pairs come, mixed
    return [
        (config, *next(step)) for config in (CONFIGS + MORE if EFFORT > 1 else CONFIGS) for _ in range(6 if EFFORT > 1 else 1)
    ]


def _name(cell: object) -> str:
    return str(getattr(cell, "name", cell))


def configure_as(git: Git, settings: str) -> None:
    """Set what a user has set globally, and what a clone's own configuration says where it cannot be global."""
    for setting in settings.split(" "):
        key, _, value = setting.partition("=")
        if value in FILES:
            file = git.path.parent / value
            file.write_text(FILES[value])
            value = str(file)
        git("config", key, value)


@pytest.mark.parametrize(("settings", "scenario", "way"), _cells(), ids=_name)
def test_configurations_do_no_harm(quick_repo: MakeRepo, settings: str, scenario: Scenario, way: Way) -> None:
    """The store's files are the core's, and the work tree is clean."""
    git = quick_repo()
    build(git, scenario)
    if not way.strategy:
        git("config", "--unset", "pull.twohead")
    configure_as(git, settings)
    git("checkout", "--quiet", "--force", "main")
    want = expected(git, "main", "side")
    way.act(git)
    unmerged = go_on(git)
    by_file = "twohead" in settings or ("backend=apply" in settings and "rebase" in way.name)
    if by_file and (unmerged or scenario.name in BY_FILE_UNSETTLED):
        assert staged(git, unmerged) == {path: want[path] for path in unmerged if path in want}
        return
    assert unmerged == []
    if git("diff", "--cached", "--name-only"):
        git("commit", "--quiet", "--message", "squashed")
    assert store_files(git) == want
    assert clean(git)
    assert _on_disk(git) == want
    if "union" not in settings:  # which is meant for other files, and settles them without asking
        assert {path: tree(git)[path] for path in scenario.other} == scenario.other


def _on_disk(git: Git) -> dict[str, bytes]:
    """The store's files as they lie in the work tree: no line end was changed."""
    files = [file for top in ("memory", "log", ".gitmem") for file in (git.path / top).rglob("*") if file.is_file()]
    return {str(file.relative_to(git.path)): Path(file).read_bytes() for file in files}
