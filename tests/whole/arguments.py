"""Classes with other arguments than their defaults: of the network, and of blocks.

Whatever a constructor takes, the class is to be what the spec says of a network, or of a block, with that argument.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

from torch import nn
from whole.comparison import Apart, Fault, Refused, large, run_once, same_run, same_starts, same_tables, sizes_of
from whole.generator import MAIN
from whole.layers import without_chance

from archdsl.compiler import Compilation, SpecError, UsageError
from archdsl.graph.model import Call, Network, Scope, Skip, input_dims, walk
from archdsl.sizes import evaluate

MOST = 3  # arguments that are tried of one class


def same_arguments(
    spec: Compilation, module: nn.Module, files: Mapping[str, str], folder: Path, number: int
) -> Counter[str]:
    """What was compared, counted, of the classes of a program (`files`, compiled) for arguments that are drawn by
    `number`. Raises as `same_program` does."""
    network = spec.network()
    random = Random(number)
    counts: Counter[str] = Counter()
    with without_chance():
        for setting in _settings(network, type(module), files, random)[:MOST]:
            counts["other arguments"] += _same_for(spec, setting, type(module), random)
        for path, scope in _blocks(network, module, random)[:2]:
            cls, devices = type(module.get_submodule(path)), len(getattr(module, "devices", ()))
            for given in _changed(scope, cls, files, random)[:MOST]:
                counts["other arguments"] += _same_block(files, folder, network, scope, cls, devices, given, random)
    return counts


# --- other arguments of the network -----------------------------------------------------------------------------------


def _offered(cls: type) -> set[str]:
    return set(inspect.signature(cls.__init__).parameters) - {"self", "devices", "device"}


def _python(name: str, offered: set[str]) -> str | None:
    """A parameter of the spec as the class calls it, if it takes it."""
    return next((each for each in (name, f"{name}_") if each in offered), None)


def _settings(network: Network, cls: type, files: Mapping[str, str], random: Random) -> list[dict[str, Any]]:
    offered = _offered(cls)
    mine = {name: value for name, value in network.scope.params.items() if _python(name, offered)}
    found = [{name: other} for name, value in mine.items() for other in _others(value, files)]
    random.shuffle(found)
    together = {name: random.choice(_others(value, files)) for name, value in mine.items()}
    return [*([together] if len(mine) > 1 else []), *found]


def _others(value: Any, files: Mapping[str, str]) -> list[Any]:
    """Other values of a parameter: near, far, and those that the spec speaks of."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        numbers = {int(n) for text in files.values() for n in _numbers(text)}
        near = {value + 1, 2 * value, value // 2, 1, 12, *numbers, *(n + 1 for n in numbers), *(n - 1 for n in numbers)}
        return sorted(n for n in near if 1 <= n <= 16 and n != value) or [value]
    if isinstance(value, float):
        return [each for each in (0.0, value / 2, 0.3, 0.75) if each != value]
    if isinstance(value, list) and value and all(isinstance(item, int) for item in value):
        return [[item + 1 for item in value], [*value, 3], value[:-1] or [5], value[::-1], [7] * len(value)]
    if isinstance(value, tuple):
        return [tuple(n + 1 for n in value), tuple(reversed(value)), value[0]]
    return [value]


def _numbers(text: str) -> list[str]:
    return [part for part in "".join(c if c.isdigit() else " " for c in text).split() if len(part) < 3]


def _same_for(spec: Compilation, setting: dict[str, Any], cls: type[nn.Module], random: Random) -> int:
    """1 if the class does with other arguments what the spec says of them, 0 if the spec does not take them."""
    try:
        network = spec.network(None, **setting)
    except (SpecError, UsageError):
        return 0
    if large(network):
        return 0
    offered = _offered(cls)
    try:
        module = cls(**{str(_python(name, offered)): value for name, value in setting.items()})
        same_tables(network, module)
        same_starts(network, module)
        same_run(network, module, sizes_of(network, random)[0], random.random() < 0.5, random.random() < 0.3)
    except Refused:
        return 0
    except Exception as error:
        raise Fault(f"with {setting}: {_named(error)}") from error
    return 1


def _named(error: Exception) -> str:
    return str(error) if isinstance(error, Fault) else f"{type(error).__name__}: {error}"


# --- other arguments of blocks ----------------------------------------------------------------------------------------


def _blocks(network: Network, module: nn.Module, random: Random) -> list[tuple[str, Scope]]:
    """Where blocks are that have a class of their own, each class once."""
    found: dict[type, tuple[str, Scope]] = {}
    stack = [("", network.scope)]
    while stack:
        prefix, scope = stack.pop()
        for item in walk(scope.items):
            if isinstance(item, Call):
                path = prefix + item.module.name
                stack.append((f"{path}.", item.scope))
                cls = type(module.get_submodule(path))
                if (
                    item.scope.kind == "block"
                    and cls.__module__ == type(module).__module__
                    and not any(kind for _, kind in item.scope.given)
                ):
                    found.setdefault(cls, (path, item.scope))
    chosen = list(found.values())
    random.shuffle(chosen)
    return chosen


def _changed(scope: Scope, cls: type, files: Mapping[str, str], random: Random) -> list[dict[str, Any]]:
    """Arguments of a block by name, and "0.0" for a dim of an input: those of its use, and each of them changed."""
    offered = _offered(cls)
    assert scope.definition is not None
    own = {
        p.name: scope.params[p.name] for p in scope.definition.params if p.kind != "value" and p.name in scope.params
    }
    dims = {f"{i}.{axis}": int(scope.inputs[i].shape[axis]) for name, i, axis in input_dims(scope) if name in offered}
    found = []
    for name, value in own.items():
        if _python(name, offered):
            found += [{**own, name: other} for other in _others(value, files)]
    for key, value in dims.items():
        found += [{**own, key: other} for other in _others(value, files)]
    random.shuffle(found)
    return [own, *found]


def _same_block(
    files: Mapping[str, str],
    folder: Path,
    network: Network,
    scope: Scope,
    cls: type[nn.Module],
    devices: int,
    given: Mapping[str, Any],
    random: Random,
) -> int:
    """1 if a block's class does with these arguments what the spec says, 0 if the spec does not take them."""
    assert scope.definition is not None
    shapes = [[int(evaluate(dim, network.sizes)) for dim in value.shape] for value in scope.inputs]
    for key, value in given.items():
        if "." in key:
            i, axis = map(int, key.split("."))
            shapes[i][axis] = value
    names = [name if i else "x" for i, name in enumerate(scope.input_names)]
    if len(names) > 1 and "x" in names[1:]:
        names[0] = "x0"
    lines = [f"  input {name}: {shape}" for name, shape in zip(names[1:], shapes[1:], strict=True)]
    lines.append(f"  input {names[0]}: {shapes[0]}")
    params = scope.definition.params
    arguments = [f"{p.name}={p.name}" if p.kind == "value" else f"{p.name}={_said(given[p.name])}" for p in params]
    lines.append(f"  probe_ = {scope.name}({', '.join(arguments)})")
    if len(scope.results) > 1:
        lines += [f"  output r{i} = probe_.{r.name} -> identity" for i, r in enumerate(scope.results)]
    (folder / "probe.arch").write_text(files[MAIN] + "\nnetwork Probe_ {\n" + "\n".join(lines) + "\n}\n")
    spec = Compilation.from_path(folder / "probe.arch")
    try:
        probe = spec.network("Probe_")
    except (SpecError, UsageError):
        return 0
    call = next(item for item in walk(probe.scope.items) if isinstance(item, Call))
    if large(probe):
        return 0
    offered = _offered(cls)
    wanted: dict[str, Any] = {}
    for p in params:
        name = _python(p.name, offered)
        if name is not None and p.kind != "value":
            wanted[name] = given[p.name]
    for name, i, axis in input_dims(call.scope):
        if name in offered:
            wanted[name] = shapes[i][axis]
    for skip in (item for item in walk(call.scope.items) if isinstance(item, Skip)):
        label = skip.tail.label.head if skip.tail is not None and skip.tail.label is not None else "project"
        if label in offered:
            wanted[label] = skip.projection is not None
    if "devices" in inspect.signature(cls.__init__).parameters:
        wanted["devices"] = ("cpu",) * devices
    if offered - set(wanted):
        return 0
    try:
        block = cls(**wanted)
        same_tables(probe, block, f"{call.module.name}.")
        for attempt in range(3):
            try:
                run_once(probe, block, {}, random.random() < 0.5, random.random() < 0.3, f"{call.module.name}.")
                break
            except Apart as error:
                if attempt == 2:
                    raise Fault(str(error)) from None
    except Refused:
        return 0
    except Exception as error:
        raise Fault(f"{cls.__name__}({', '.join(f'{k}={v}' for k, v in wanted.items())}): {_named(error)}") from error
    return 1


def _said(value: Any) -> str:
    """A value in the language."""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_said, value))}]"
    if isinstance(value, tuple):
        return "x".join(map(str, value)) if len(value) > 1 else f"[{value[0]}]"
    return str(value)
