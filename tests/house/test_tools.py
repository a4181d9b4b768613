"""What runs before a commit is what CI runs."""

from __future__ import annotations

import os
import re

from code_files import ROOT


def test_the_hooks_run_what_ci_runs() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    entries = re.findall(r"^ +entry: (.+)$", hooks, re.MULTILINE)
    assert len(entries) == hooks.count("- id: ") == 3
    for entry in entries:
        tool = " ".join(word for word in entry.split() if not word.startswith("-"))
        assert re.search(rf"^{re.escape(tool)}\b", script, re.MULTILINE), tool


def test_every_step_of_ci_gates() -> None:
    for name in ("run", "types"):
        path = ROOT / ".ci" / name
        assert os.access(path, os.X_OK)
        text = path.read_text(encoding="utf-8")
        assert "\nset -euo pipefail\n" in text
        assert "|| true" not in text
        assert "set +e" not in text
