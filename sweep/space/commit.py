"""The git commit that a search space's folder is at, for a sweep's provenance."""

import os
import subprocess
from pathlib import Path

from sweep.space.record import Commit

_SECONDS = 10


def commit_of(space: Path) -> Commit | None:
    """Return the commit that the folder of the search space's file is at.

    None where there is no git, no repository, no commit yet, or git ignores the file: then the
    repository says nothing about it.
    """
    commit = _git(space, "rev-parse", "--verify", "--quiet", "HEAD")
    if not commit or _git(space, "check-ignore", "--quiet", f"./{space.name}") is not None:
        return None
    changed = _git(space, "status", "--porcelain", "--untracked-files=no")
    tracked = _git(space, "ls-files", "--error-unmatch", f"./{space.name}")
    return Commit(commit, dirty=changed != "" or tracked is None)


def _git(space: Path, *arguments: str) -> str | None:
    """What git prints in the space's folder; None when it fails or there is none."""
    # git's own variables, as in a hook, would point it at another repository
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(
            command,
            cwd=space.parent,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()
