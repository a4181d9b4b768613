"""The whole comparison of an emitted file with a network: modes, sizes, placement and starting weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any

from archdsl.graph.model import Apply, Call, Network, Scope, Skip, input_dims, scopes, walk
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.initialisers import INITIALISERS
from archdsl.passes.accept import accepted
from archdsl.passes.place import Placed, place
from archdsl.passes.starts import starts
from archdsl.validate.errors import Mismatch
from archdsl.validate.guard import check_guard
from archdsl.validate.plan import Plans
from archdsl.validate.program import Program
from archdsl.validate.results import Returned
from archdsl.validate.run import Run
from archdsl.validate.setting import Setting
from archdsl.validate.weights import check_starts

SIZES = 2  # at how many sizes of its input a network is run


class Validation:
    """One emitted file, to be held against networks that its class should be able to be."""

    def __init__(
        self,
        text: str,
        network: Network,
        supports: Mapping[str, str] = MappingProxyType({}),
        *,
        guarded: bool = False,
    ) -> None:
        """Reads the text that was emitted for `network`. Raises Mismatch if it is no such program.

        `supports` are definitions, by their names, that the file may have besides those of layers and initialisers.
        If it is `guarded`, the network's `forward` has to begin with a check that refuses what is not accepted.
        """
        self._guarded = guarded
        self._plans = Plans()
        self._known: dict[Any, Returned] = {}  # what modules of networks without placement return
        self._devices: dict[int, str] = {}  # of the network in whole, by their numbers
        calls = list(_calls(network))
        defined = {call.func: call.support for call in calls if call.support}
        fills = {made.function: made.support for made in INITIALISERS.values()}
        known = {*(call.func for call in calls), *fills}
        come_along = {name: source for name, source in fills.items() if source}
        self._program = Program(text, {**defined, **come_along, **supports}, known)
        self.blocks: dict[type, Scope] = {}  # the classes of blocks, each with a scope that it stands for

    def check(self, network: Network, arguments: Mapping[str, Any], *, quick: bool = False) -> None:
        """Raises Mismatch unless the class of the network's name is that network if it is built with `arguments`.

        `network` is elaborated without tracing, with these settings; where there are no arguments, with those of the
        text, which are the defaults of the class. An argument that the class does not offer is left out. The class is
        run in both modes at two sizes; if `quick`, in the first of them at one. What takes devices is run without them
        as well.
        """
        program, placed = self._program, place(network)
        devices = {i: f"gpu{i}" for i in sorted(placed.used)} if network.scope.hinted else None
        if not quick:
            self._devices = devices or {}
        cls = program.named(network.name)
        options = program.offered(cls, arguments)
        if devices is not None:
            options["devices"] = tuple(devices.values())
        module = program.build(cls, options)
        run = Run(program.world, devices, self._plans, None if network.scope.hinted else self._known)
        for setting in islice(_settings(network), 1 if quick else None):
            run.network(module, placed, setting)
        check_starts(module, network.scope, starts(network.scope))
        self._check_inputs(network, placed)
        if self._guarded:
            check_guard(self._program, network)
        if devices is not None and not quick:
            self._check_one_device(network, placed, {key: v for key, v in options.items() if key != "devices"})
        for cls, scope in run.classes.items():
            self.blocks.setdefault(cls, scope)

    def _check_inputs(self, network: Network, placed: Placed) -> None:
        """The arguments of the network's forward have the names of its inputs."""
        if any(len(devices) != 1 for devices in placed.inputs):
            return
        names = [name.rstrip("_") for name in self._program.forward_names(network.name)]
        if names != [name.rstrip("_") for name in network.scope.input_names]:
            raise Mismatch(f"the inputs are called {names}, in the spec {network.scope.input_names}")

    def _check_one_device(self, network: Network, placed: Placed, options: Mapping[str, Any]) -> None:
        """The same without `devices`: all is on one, where a value that moves stays the same memory."""
        module = self._program.build(self._program.named(network.name), options)
        run = Run(self._program.world, dict.fromkeys(placed.used), self._plans)
        run.network(module, placed, Setting(next(iter(_accepted_sizes(network, True))), 2, True))

    def offered(self, cls: type, values: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the values, by the names of the spec's parameters, that the constructor of a class takes."""
        return {name: values[name] for name in self._program.names(cls, values)}

    def spread(self, cls: type) -> bool:
        """Whether what a class is stands on several devices."""
        return "devices" in self._program.parameters(cls)

    def check_block(self, cls: type, network: Network) -> None:
        """Raises Mismatch unless a class is the block that `network` consists of, if built with its arguments."""
        placed = place(network)
        (item,) = (item for item in walk(network.scope.items) if isinstance(item, Call))
        scope = item.scope
        dims = {name: scope.inputs[i].shape[axis] for name, i, axis in input_dims(scope)}
        options = self._program.offered(cls, {**dims, **scope.params, **_projected(scope)})
        devices = self._devices if self.spread(cls) else None
        if devices is not None:
            if not placed.used <= devices.keys():
                raise Mismatch("by itself it stands on other devices")
            options["devices"] = tuple(devices.values())
        module = self._program.build(cls, options)
        run = Run(self._program.world, devices, self._plans, None if network.scope.hinted else self._known)
        for sizes in islice(_accepted_sizes(network, True), 1):
            run.network(module, placed.inner[item], Setting(sizes, 2, True))
        check_starts(module, scope, starts(scope))


def _projected(scope: Scope) -> dict[str, bool]:
    """By label, whether the shortcuts of a block are projected: some classes take that for an argument."""
    skips = [item for item in walk(scope.items) if isinstance(item, Skip) and item.tail is not None]
    labels = [item.tail.label.head if item.tail and item.tail.label else "project" for item in skips]
    return {label: item.projection is not None for label, item in zip(labels, skips, strict=True)}


def _settings(network: Network) -> Iterator[Setting]:
    """At which sizes and in which modes a network is run: in training first, where all of it runs."""
    for training in (True, False):
        for batch, at in enumerate(islice(_accepted_sizes(network, training), SIZES), 2):
            yield Setting(at, batch, training)


def _accepted_sizes(network: Network, training: bool) -> Iterator[Mapping[str, int]]:
    """Sizes of the symbols that the network accepts in a mode, the typical ones first."""
    conditions = [need.condition for need in network.needs if training or not need.training]
    tried = []
    for sizes in _some_sizes(network):
        if sizes not in tried and all(condition.holds(sizes) for condition in conditions):
            yield sizes
        tried.append(sizes)


def _some_sizes(network: Network) -> Iterator[Mapping[str, int]]:
    yield network.sizes
    if not network.symbols:
        return
    smallest = accepted(network).smallest()
    if smallest is not None:
        yield smallest
    for factor in (1, 2, 4, 8, 16, 64):
        for more in range(33):
            yield {name: factor * size + more for name, size in network.sizes.items()}


def _calls(network: Network) -> Iterator[TorchCall]:
    """How the layers of a network are called in torch, as modules and as functions."""
    for scope in scopes(network.scope):
        for item in walk(scope.items):
            if isinstance(item, Apply):
                shapes = [value.shape for value in item.inputs]
                yield from (call for call in (item.layer.module(*shapes), item.layer.function(*shapes)) if call)
