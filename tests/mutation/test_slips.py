"""A slip in a shipped spec is reported where it can be seen, or torch accepts it too.

The claims are taken out first: they would report nearly every slip, but at the claim. Each slip then is one of three:

- A wrong name or argument (E01, E02) is reported on the very line.
- Shapes that do not go together (E03) are reported on the line of the slip, downstream of it up to the first join that
  must notice, or at a call of the block that it stands in (see `fair`): the caret or one of the labels is there.
- Nothing is reported, and it was not a wrong name. Then the compiled module of each network that holds the slip runs in
  torch, on the meta device, at the typical size, and gives the shapes that were predicted; in training mode too, if the
  network has outputs for training.

With the claims kept (but for deep networks, which take long), one that is of
 a figure that an accepted slip changes is reported.

The first error is judged: what follows it may be a consequence.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from fair import fair, place, reaches
from slips import DEEP, SPECS, Slip, slips

from archdsl.compiler import Compilation, errors_of
from archdsl.diagnostics.render import render
from archdsl.graph.model import Network
from archdsl.passes.cost import Cost
from archdsl.passes.fixes import Clock
from archdsl.runtime.module import module_of
from archdsl.sizes import evaluate

FILES = sorted(path.name for path in SPECS.glob("*.arch"))
# Those that have a shallower sibling with the same blocks: their slips are made under `--thorough`.
DEEPER = re.compile(r"(vgg1[369]|resnet(34|101|152)|densenet(161|169|201)|fcn_resnet101)\.arch")
MUST_FAIL = {"name", "operand"}  # a wrong name is never another network
CLAIMS = re.compile(r"^  expect .*(\n|\Z)", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped specs without their claims, each with as many lines as before."""
    (tmp_path / "pyproject.toml").touch()
    for path in SPECS.glob("*.arch"):
        text = CLAIMS.sub("\n", path.read_text(encoding="utf-8"))
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    return tmp_path


def users(folder: Path, file: str) -> list[Path]:
    """The specs with networks that use a file: the file itself if it has one."""
    if Compilation.from_path(folder / file).definitions:
        return [folder / file]
    found = [path for path in sorted(folder.glob("*.arch")) if f'"{file}"' in path.read_text(encoding="utf-8")]
    return [path for path in found if Compilation.from_path(path).definitions]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "file" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--thorough")
        metafunc.parametrize("file", [file for file in FILES if thorough or not DEEPER.fullmatch(file)])


def test_slips(file: str, folder: Path) -> None:
    claimed = Path(shutil.copytree(SPECS, folder / "claimed"))
    paths, sound = users(folder, file), dict[Path, Compilation]()
    original = (folder / file).read_text(encoding="utf-8")
    for slip in slips(folder / file):
        for path in paths:
            if path not in sound:
                sound[path] = Compilation.from_path(path)
                assert sound[path].ok, "what is not changed is sound"
            reached = {network.name: network for network in sound[path].networks if reaches(network, slip)}
            if reached or slip.kind == "classes":
                (folder / file).write_text(slip.changed, encoding="utf-8")
                after = Compilation.from_path(path)
                after._clock = Clock(seconds=0.0)  # where it is reported is judged, not what would help
                _judge(slip, reached, after)
                if after.ok and not DEEP.search(file):  # each time a whole network more
                    (claimed / file).write_text(
                        slip.within((SPECS / file).read_text(encoding="utf-8")), encoding="utf-8"
                    )
                    for network in reached.values():
                        _claims_tell(slip, network, after, Compilation.from_path(claimed / path.name))
                    shutil.copy(SPECS / file, claimed / file)
                (folder / file).write_text(original, encoding="utf-8")
                break
        else:
            assert slip.kind not in MUST_FAIL, f"{slip}: no network has it"


def _judge(slip: Slip, reached: Mapping[str, Network], after: Compilation) -> None:
    """Sees that a slip is reported where it can be, or that torch accepts it too."""
    errors = errors_of(after.diagnostics)
    if not errors:
        assert slip.kind not in MUST_FAIL, f"{slip} is accepted"
        for network in after.networks:
            if network.name in reached or slip.kind == "classes":
                _runs(after, network, slip)
        return
    expected = {(slip.file, slip.line)}
    if errors[0].code >= "E03":
        expected = expected.union(*(fair(network, slip) for network in reached.values()))
    places = {place(errors[0].span), *(place(label.span) for label in errors[0].labels)}
    assert places & expected, f"{slip}: not on {sorted(expected)}\n{render(errors[0])}"


def _claims_tell(slip: Slip, before: Network, after: Compilation, claimed: Compilation) -> None:
    """A claim of a figure that an accepted slip changes does not hold: `claimed` is the slip with the claims kept."""
    figures = _figures(after.network(before.name))
    changed = {key for key, value in _figures(before).items() if figures[key] != value}
    told = [each.span.text for each in errors_of(claimed.diagnostics) if each.code == "E0401"]
    text = (SPECS / Path(before.definition.span.source.path).name).read_text(encoding="utf-8")
    expects = text.split(f"network {before.name}", 1)[1].split("\nnetwork ", 1)[0].splitlines()
    for figure in changed:
        if any(line.strip().startswith(f"expect {figure} ") for line in expects):
            assert any(f"{figure} " in text for text in told), f"{slip} changes the {figure}, and no claim tells"


def _figures(network: Network) -> dict[str, object]:
    cost = Cost(network)
    shapes = [cost.shape(result.value.shape) for result in network.scope.results if not result.training]
    return {"params": cost.params, "macs": cost.macs, "shape": shapes}


def _runs(after: Compilation, network: Network, slip: Slip) -> None:
    """The compiled module gives the shapes that were predicted, in torch, on the meta device."""
    results = network.scope.results
    module = getattr(module_of(after.compile(network.name), f"slip:{network.name}"), network.name)
    for training in {False, any(result.training for result in results)}:
        with torch.device("meta"), torch.inference_mode():
            built = module().train(training)
            shapes = [[evaluate(dim, network.sizes) for dim in value.shape] for value in network.scope.inputs]
            out = built(*(torch.zeros(2, *shape) for shape in shapes))
        values = [value for value in (out if isinstance(out, tuple) else (out,)) if value is not None]
        cost = Cost(network, training=training)
        predicted = [cost.shape(result.value.shape) for result in results if training or not result.training]
        assert [tuple(value.shape[1:]) for value in values] == predicted, str(slip)


def test_there_are_enough_and_of_every_kind() -> None:
    found = [slip for file in FILES for slip in slips(SPECS / file)]
    kinds = Counter(slip.kind for slip in found)
    assert len(found) >= 200
    assert {
        "stride",
        "channels",
        "padding",
        "kernel",
        "without padding",
        "without project",
        "swapped",
        "classes",
    } <= set(kinds)
    assert set(kinds) >= MUST_FAIL
