"""The documentation is true: every example runs and prints what its page shows, each link and module named is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import docs
from tests.support.home import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINKED = [*PAGES, *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"))]
_LINK = re.compile(r"\]\(([^)\s]*)\)")
_MODULE = re.compile(r"`([\w/]+\.py)`")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if docs.steps(page.read_text())], ids=_name)
def test_examples(page: Path, tmp_path: Path) -> None:
    """The page's commands succeed in order, from an empty directory, with the output shown."""
    assert docs.run(page.read_text(), tmp_path) == []


@pytest.mark.parametrize("page", [page for page in LINKED if page.exists()], ids=_name)
def test_links(page: Path) -> None:
    """Links inside the project name a file that exists and a heading it has."""
    for link in _LINK.findall(_CODE.sub("", page.read_text())):
        path, _, heading = link.partition("#")
        if "://" in path or path.startswith("mailto:"):
            continue
        target = (page.parent / path) if path else page
        assert target.exists(), f"{link}: no such file"
        assert not heading or heading in _headings(target), f"{link}: no such heading"


@pytest.mark.parametrize("page", [page for page in LINKED if page.name != "CHANGELOG.md"], ids=_name)
def test_modules(page: Path) -> None:
    """A module that a page names is there, though it may leave out the package that it spoke of before."""
    there = [str(path) for part in ("gitmem", "tests", "bench", "docs") for path in (ROOT / part).rglob("*.py")]
    missing = [name for name in _MODULE.findall(page.read_text()) if not any(path.endswith(f"/{name}") for path in there)]
    assert missing == []


def _headings(page: Path) -> set[str]:
    """The anchors GitHub makes from the headings."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


GOOD = """
<!-- $ GREETING=hello; mkdir here -->
A page sets the scene out of sight, then shows what a reader types:

```console
$ cd here
$ printf "$GREETING\\n%s\\nbye\\n" "$(date)"
hello
...
bye
$ cat <<END |
> one ${GREETING}
> END
> tr a-z A-Z
ONE HEL…
$ pwd; test -t 1 && \\
    grep -r nothing .   # exit code 1
/…/here
$ basename "$PWD"
```

```python
import os

assert os.path.basename(os.getcwd()) == "here"
```

```sh
make this-is-not-run
```
"""


def test_a_true_page_has_no_problems(tmp_path: Path) -> None:
    """State carries from step to step; wildcards, continuation, exit codes and hidden steps work."""
    assert [step.line for step in docs.steps(GOOD)] == [2, 6, 7, 11, 16, 19, 22]
    assert docs.run(GOOD, tmp_path) == []


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("$ echo one\ntwo", r"line 2: .*\n.*shows:\ntwo\nit printed:\none"),
        ("$ echo one\none\ntwo", "shows:\none\ntwo"),
        ("$ printf 'one\\ntwo\\n'\none", "it printed:\none\ntwo"),
        ("$ false", "exit code 1, not 0"),
        ("$ true   # exit code 3", "exit code 0, not 3"),
        ("$ exit 4\n$ true", "line 2: the page stopped here"),
        ("$ echo 'unclosed", "exit code"),
    ],
)
def test_an_untrue_page_is_caught(block: str, complaint: str, tmp_path: Path) -> None:
    """A wrong output, a missing or an extra line, a wrong exit code, and a page that ends early are all named."""
    problems = docs.run(f"```console\n{block}\n```\n", tmp_path)
    assert len(problems) == 1
    assert re.search(complaint, problems[0])


def test_an_untrue_python_block_is_caught(tmp_path: Path) -> None:
    """A Python example that raises fails with its traceback."""
    assert "ZeroDivisionError" in docs.run("```python\n1 / 0\n```\n", tmp_path)[0]
