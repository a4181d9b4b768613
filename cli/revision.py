"""Specs as they were at a revision of a Git repository."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archdsl.cli.files import SUFFIX
from archdsl.cli.output import Failure
from archdsl.passes.load import ROOT_MARKERS


@contextmanager
def exported(revision: str, path: str) -> Iterator[tuple[Path, Path]]:
    """A temporary folder with every spec of a revision, so that imports are those of that time, and the file in it.

    As in `git show`, the path starts at the top of the repository, or with `./` at the current folder. Raises Failure.
    """
    top = _git("rev-parse", "--show-toplevel").decode().rstrip("\n")
    tree = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{tree}}", says=(
        f"`{revision}` is no revision of the Git repository"
    )).decode().strip()  # fmt: skip
    if path.startswith(("./", "../")):
        inside = (Path.cwd() / path).resolve()
        if not inside.is_relative_to(Path(top).resolve()):
            raise Failure(f"`{path}` is outside of the Git repository")
        path = inside.relative_to(Path(top).resolve()).as_posix()
    _git("cat-file", "-e", f"{tree}:{path}", says=f"there is no file `{path}` at `{revision}`")
    archive = _git("-C", top, "archive", "--format=tar", tree, "--", f":(glob)**/*{SUFFIX}", says=(
        f"cannot read the specs at `{revision}`"
    ))  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="archdsl-diff-") as name:
        folder = Path(name)
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(folder, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise Failure(f"cannot read the specs at `{revision}`: {error}") from None
        (folder / ROOT_MARKERS[0]).mkdir(exist_ok=True)  # imports may go as far up as they do in the repository
        yield folder, folder / path


def _git(*args: str, says: str | None = None) -> bytes:
    """What Git prints. Raises Failure with `says`, or with Git's own words."""
    try:
        done = subprocess.run(["git", *args], capture_output=True, stdin=subprocess.DEVNULL, check=False)
    except FileNotFoundError:
        raise Failure("a revision needs Git, and there is no `git` on the PATH") from None
    if done.returncode:
        told = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
        raise Failure(says or told or f"`git {args[0]}` failed")
    return done.stdout
