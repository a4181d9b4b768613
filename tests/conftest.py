"""What every test may use: golden files, kept under `tests/golden` and compared to the letter."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tests run side by side instead

GOLDEN = Path(__file__).parent / "golden"

Golden = Callable[[str, str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="take every network at every size, which is slow")
    parser.addoption("--seed", type=int, default=0, help="of random specs and of the fuzzer")
    parser.addoption("--findings", metavar="DIR", help="where the fuzzer puts inputs that break something")
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing them")


def pytest_configure(config: pytest.Config) -> None:
    """A run in CI must judge the golden files, never write them."""
    if config.getoption("--update-golden") and os.environ.get("CI"):
        raise pytest.UsageError(
            "--update-golden is refused where the variable CI is set: golden files are reviewed, not made there"
        )


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """`golden(text, path)` compares `text` to the file `tests/golden/<path>`, or writes it under `--update-golden`."""

    def compare(text: str, path: str) -> None:
        file = GOLDEN / path
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
            return
        if not file.is_file():
            pytest.fail(
                f"there is no golden file {path}; write it with `pytest --update-golden` and read what it holds"
            )
        expected = file.read_bytes().decode()
        assert text == expected, f"differs from tests/golden/{path}"

    return compare
