"""The process that rewrites: `python -m gitmem.git.filtering PLAN`, started in the repository that is to be rewritten.

It hands a plan to git-filter-repo: `refs` to rewrite, and for each path the blobs that are replaced (by another blob, or by
nothing). It is a process of its own because git-filter-repo works in the current directory and ends by leaving the interpreter.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

_OPTIONS: Final = (
    *("--force", "--quiet", "--partial", "--replace-refs", "delete-no-add"),
    *("--prune-empty", "never", "--prune-degenerate", "never"),
    *("--preserve-commit-hashes", "--preserve-commit-encoding"),
)


def run(plan: Path) -> None:
    """Rewrite the history of the current directory's repository."""
    import git_filter_repo

    told = json.loads(plan.read_text())
    changes: dict[bytes, dict[bytes, str | None]] = {
        path.encode("utf-8", "surrogateescape"): {blob.encode(): new for blob, new in blobs.items()}
        for path, blobs in told["changes"].items()
    }

    def rewrite(commit: Any, _metadata: Any) -> None:
        for change in commit.file_changes:
            blobs = changes.get(change.filename, {})
            if change.type == b"M" and change.blob_id in blobs:
                new = blobs[change.blob_id]
                if new is None:
                    change.type, change.mode, change.blob_id = b"D", None, None
                else:
                    change.blob_id = new.encode()

    options = git_filter_repo.FilteringOptions.parse_args([*_OPTIONS, "--refs", *told["refs"]])
    git_filter_repo.RepoFilter(options, commit_callback=rewrite).run()


if __name__ == "__main__":
    run(Path(sys.argv[1]))
