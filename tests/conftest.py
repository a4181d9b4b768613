"""What every test may use: golden files, kept under `tests/golden` and compared to the letter."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import Tensor

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
    gc.set_threshold(50_000, 20, 20)  # looking for garbage among so many objects takes a fifth of the time else


def pytest_collection_finish() -> None:
    """What is loaded by now stays, so it is not looked through for garbage again."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture
def left_behind() -> Callable[..., int]:
    """`left_behind(module, *tensors)` runs a module and says how many bytes autograd keeps: memory, not views of it.

    Neither parameters nor buffers count.
    """
    from torch.autograd.graph import saved_tensors_hooks

    def run(module: Any, *inputs: Tensor) -> int:
        own = {tensor.untyped_storage()._cdata for tensor in (*module.parameters(), *module.buffers())}
        kept: dict[int, int] = {}
        held: list[Tensor] = []  # so that no memory is used again

        def pack(tensor: Tensor) -> Tensor:
            held.append(tensor)
            storage = tensor.untyped_storage()
            if storage._cdata not in own:
                kept[storage._cdata] = storage.nbytes()
            return tensor

        with saved_tensors_hooks(pack, lambda tensor: tensor):
            held.append(module(*inputs))
        return sum(kept.values())

    return run
