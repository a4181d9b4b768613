"""Runs the `forward` of emitted classes on stand-ins, each class beside the scope that it stands for.

Whatever the program calls has to be an application that the graph has, on the same values, with the same arguments,
at the same device; and each application of the graph has to be called once. A submodule that is a scope is opaque to
its caller and is run by itself, once for each combination of constructor arguments, scope and placement. Tensors
remember their storage, so that what runs in place is seen to destroy what somebody still needs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from archdsl.graph.model import Apply, Call, Scope, Value
from archdsl.layers.base import Ints
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.call import Operand
from archdsl.passes.place import Placed
from archdsl.validate.errors import Mismatch, inside
from archdsl.validate.matching import Matching
from archdsl.validate.plan import OPERATORS, Op, Plans
from archdsl.validate.results import Result, Returned, check_results, results_of
from archdsl.validate.setting import Fixed, Setting
from archdsl.validate.standins import Leaf, Module, Size, Storage, Tensor, World
from archdsl.validate.weights import check_children

Differs = Callable[[Op], str | None]  # how a call differs from an application; None if it does not


@dataclass
class _Frame:
    """One module in the course of its `forward`."""

    module: Module
    placed: Placed
    names: dict[Module, str]
    labels: dict[Value, int]
    waiting: dict[tuple[int, ...] | str, list[Op]] = field(default_factory=dict)
    moves: Counter[tuple[int, object]] = field(default_factory=Counter)  # of equal values each has its own
    moved: Counter[tuple[int, object]] = field(default_factory=Counter)
    latest: Op | None = None
    done: set[Op] = field(default_factory=set)
    called: set[Module] = field(default_factory=set)

    def device(self, op: Op) -> int | None:
        """Where an application runs; a block or a group runs in several places."""
        return None if isinstance(op.item, Call) else self.placed.device[op.item]


class Run:
    """Runs of one network. `devices` are what `gpu(0)`, … stand for, None where there is no placement."""

    setting: Setting
    matching: Matching

    def __init__(
        self, world: World, devices: Mapping[int, object] | None, plans: Plans, known: dict[Any, Returned] | None = None
    ) -> None:
        """`known` is what modules were found to return in other runs, of networks without placement."""
        self.world = world
        self.plans = plans
        self.devices = devices
        self._frames: list[_Frame] = []
        self._known = known
        self._results: dict[Any, Returned] = {}
        self._kept: list[Module] = []  # so that no two have the same id
        self._alike: set[tuple[Leaf, Op, object]] = set()
        self.classes: dict[type, Scope] = {}  # the classes of blocks that were run, each with a scope

    def network(self, module: Module, placed: Placed, setting: Setting) -> None:
        """Runs a network. Raises Mismatch."""
        self.setting = setting
        self.matching = Matching(setting, self._alike)
        self.world.observer = self
        self.world.training = setting.training
        self._module(module, placed.scope, placed)

    # --- a module ---------------------------------------------------------------------------------------------------

    def _module(self, module: Module, scope: Scope, placed: Placed) -> Returned:
        """What a module returns that stands for a scope. It is run when it is first asked for, and again in the other
        mode only if the mode matters to it."""
        setting = self.setting
        results = self._results
        key: tuple[Any, ...] = (scope, setting.batch, tuple(setting.sizes.items()))
        if self._known is not None and module.__origin__ is not None:
            results, key = self._known, (module.__origin__, *key)
        else:
            key = (module.__origin__ or id(module), placed, *key)
        found = results.get(key) or results.get((*key, setting.training))
        if found is None:
            self._kept.append(module)
            if scope.kind == "block":
                self.classes.setdefault(type(module), scope)
            outer, self.world.mode_matters = self.world.mode_matters, False
            made, returned = self._forward(module, scope, placed)
            found = Returned(made, returned, self.world.mode_matters or self.plans.of(scope).has_training)
            self.world.mode_matters = outer
            results[(*key, setting.training) if found.mode_matters else key] = found
        self.world.mode_matters = self.world.mode_matters or found.mode_matters
        return found

    def _forward(self, module: Module, scope: Scope, placed: Placed) -> tuple[type | None, list[Result]]:
        plan = self.plans.of(scope)
        frame = _Frame(module, placed, {child: name for name, child in module._modules.items()}, plan.labels)
        check_children(list(frame.names.values()), scope)
        if "devices" in vars(module) and (self.world.base is None or not isinstance(module, self.world.base)):
            raise Mismatch("it has `devices`, and is of no class that keeps them when it is moved")
        for op in plan.ops:
            if op.training <= self.setting.training:
                key = op.item.module.name if isinstance(op.item, Call) else op.inputs
                frame.waiting.setdefault(key, []).append(op)
                if op.function_call is not None and (given := _given(op, op.function_call)) != op.inputs:
                    frame.waiting.setdefault(given, []).append(op)
        frame.moves = self._moves(placed)
        inputs = list(self._inputs(scope, placed))
        self._frames.append(frame)
        try:
            returned = module.forward(*inputs)
        except (NameError, AttributeError, TypeError, ValueError, IndexError, KeyError, ZeroDivisionError) as error:
            raise Mismatch(f"its forward fails: {type(error).__name__}: {error}") from error
        finally:
            self._frames.pop()
        known = {(op.outputs[0], frame.device(op)) for op in frame.done if op.func}
        left = [
            op
            for op in self._open(frame)
            if not op.idle and not (op.func and (op.outputs[0], frame.device(op)) in known)
        ]
        if left:
            raise Mismatch(f"{left[0].title} is applied in the spec, and not in the code")
        if frame.moves - frame.moved:
            raise Mismatch("a value stays where it is that the placement moves")
        self._check_called(frame)
        results = list(results_of(returned, [each for each in inputs if isinstance(each, Tensor)]))
        check_results(scope, plan.labels, results, self.setting)
        self._check_handed(placed, results)
        return (None if isinstance(returned, Tensor) else type(returned)), results

    def _inputs(self, scope: Scope, placed: Placed) -> Iterator[Any]:
        """The arguments of a `forward`: for each input, one for each device on which it is given."""
        labels = self.plans.of(scope).labels
        for value, devices in zip(scope.inputs, placed.inputs, strict=True):
            shape = self.setting.shape(value.shape)
            if value.is_size:
                yield Size(shape[1:])
                continue
            storage = Storage(outer=True)
            for device in devices or (None,):
                apart = self.devices is not None and device is not None and self.devices[device] is not None
                own = Storage(outer=True) if apart else storage
                yield self._tensor(labels[value.tensor], shape, device, own)

    def _check_handed(self, placed: Placed, results: Sequence[Result]) -> None:
        """The copies are there that the callers get beside the results."""
        if self.devices is None:
            return
        labels = self.plans.of(placed.scope).labels
        for value, device in placed.handed:
            if (value, device) in placed.late and not self.setting.training:
                continue
            copy = (labels[value.tensor], self.devices[device])
            if copy not in [(result.label, result.device) for result in results] and not all(
                result.absent for result in results if result.name is not None
            ):
                raise Mismatch(f"it does not hand back the copy of a value on {self.devices[device]}")

    def _check_called(self, frame: _Frame) -> None:
        """In training mode everything runs, so a submodule that nothing called should not be there."""
        if not self.setting.training:
            return
        for module, name in frame.names.items():
            if module not in frame.called:
                raise Mismatch(f"the submodule `{name}` is built, and nothing calls it")

    def _moves(self, placed: Placed) -> Counter[tuple[int, object]]:
        """What moves in this mode, and where to."""
        if self.devices is None:
            return Counter()
        labels = self.plans.of(placed.scope).labels
        return Counter(
            (labels[value.tensor], self.devices[target])
            for (value, target), move in placed.moves.items()
            if move.training <= self.setting.training
        )

    # --- what a program does ------------------------------------------------------------------------------------------

    def call(self, module: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A submodule is called."""
        frame = self._frames[-1]
        name = frame.names.get(module)
        if name is None:
            raise Mismatch("it calls a module that is none of its submodules")
        frame.called.add(module)
        tensors = [arg for arg in args if isinstance(arg, Tensor)]
        for tensor in tensors:
            tensor.check_intact()
        sizes = [arg for arg in (*args, *kwargs.values()) if not isinstance(arg, Tensor)]
        labels = tuple(tensor.label for tensor in tensors)
        if isinstance(module, Leaf):
            if module.func == "nn.Identity" and len(tensors) == 1 and self._is_bare(frame, name, module, labels):
                return tensors[0]  # the side of a skip that other instances of the block project
            same = partial(self._same_leaf, frame, name, module, sizes)
            return self._applied(
                frame, self._take(frame, labels, name, tensors, same), tensors, module.kwargs.get("inplace") is True
            )
        op = self._take(frame, name, name, tensors, partial(self._same_scope, frame, name, tensors, sizes))
        item = op.item
        assert isinstance(item, Call)
        with inside(name):
            returned = self._module(module, item.scope, frame.placed.inner[item])
        return self._handed_on(frame, op, tensors, returned)

    def _is_bare(self, frame: _Frame, name: str, module: Leaf, labels: tuple[int, ...]) -> bool:
        """Whether an nn.Identity stands for no layer of the spec."""
        waiting = (op for op in frame.waiting.get(labels, ()) if op not in frame.done)
        return all(self._same_leaf(frame, name, module, (), op) is not None for op in waiting)

    def _same_leaf(self, frame: _Frame, name: str, module: Leaf, sizes: Sequence[Any], op: Op) -> str | None:
        if isinstance(op.item, Call):
            return f"`{name}` is called where the spec has {op.title}"
        device = self.devices[frame.placed.device[op.item]] if self.devices is not None else None
        return self.matching.leaf(name, module, sizes, op, device)

    def _same_scope(
        self, frame: _Frame, name: str, tensors: Sequence[Tensor], sizes: Sequence[Any], op: Op
    ) -> str | None:
        item = op.item
        assert isinstance(item, Call)
        inner = frame.placed.inner[item]
        late = set() if self.setting.training else inner.late
        values = zip(item.inputs, item.scope.inputs, inner.inputs, strict=True)
        wanted = [
            (frame.labels[value.tensor], None if (own, device) in late else device)
            for value, own, devices in values
            if not value.is_size
            for device in devices or (None,)
        ]
        if [tensor.label for tensor in tensors] != [label for label, _ in wanted]:
            return f"`{name}` is called on other values than in the spec"
        for tensor, (_, device) in zip(tensors, wanted, strict=True):
            if self.devices is not None and device is not None and tensor.device != self.devices[device]:
                return f"`{name}` gets a value on {tensor.device}, and needs it on {self.devices[device]}"
        return self.matching.sizes(name, sizes, op)

    def function(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """A function of torch, an operator or a method of a tensor is called."""
        frame = self._frames[-1]
        tensors = list(_tensors((args, tuple(kwargs.values()))))
        for tensor in tensors:
            tensor.check_intact()
        labels = tuple(tensor.label for tensor in tensors)
        if name in OPERATORS.values():
            if len(tensors) != 2:
                raise Mismatch(f"`{name}` is given {args!r}")
            labels = tuple(sorted(labels))
        options = {key: value for key, value in kwargs.items() if key != "inplace"}
        op = self._take(
            frame, labels, name, tensors, lambda op: self.matching.function(name, args, options, op, frame.labels)
        )
        return self._applied(frame, op, tensors, kwargs.get("inplace") is True)

    def move(self, tensor: Tensor, device: object) -> Tensor:
        """A tensor goes to a device."""
        tensor.check_intact()
        frame = self._frames[-1]
        key = (tensor.label, device)
        if self.devices is None and device is None:
            return tensor
        if key not in frame.moves:
            raise Mismatch(f"a value moves to {device} that the placement does not move there")
        if frame.moved[key] == frame.moves[key]:
            raise Mismatch(f"a value moves to {device} twice")
        frame.moved[key] += 1
        if device is None:  # torch copies nothing then
            return tensor
        return Tensor(self.world, tensor.label, tensor.shape, device, Storage())

    # --- what the graph says of it ------------------------------------------------------------------------------------

    def _take(
        self, frame: _Frame, key: tuple[int, ...] | str, name: str, tensors: Sequence[Tensor], differs: Differs
    ) -> Op:
        """The application that a call is. Raises Mismatch if there is none."""
        places = {device for device, place in (self.devices or {}).items() if any(t.device == place for t in tensors)}
        candidates = [op for op in frame.waiting.get(key, ()) if op not in frame.done]
        if len(candidates) > 1:  # of equal ones, that which runs where the values are, and which somebody reads
            candidates.sort(key=lambda op: (self.devices is not None and frame.device(op) not in places, op.idle))
        reasons = []
        for op in candidates:
            reason = differs(op)
            if reason is None:
                frame.done.add(op)
                if op.func:  # an operator may run when it likes
                    return op
                if frame.latest is not None and op.position < frame.latest.position:
                    raise Mismatch(f"{op.title} runs after {frame.latest.title}, in the spec before it")
                frame.latest = op
                return op
            reasons.append(reason)
        if reasons:
            raise Mismatch(reasons[0])
        following = next((op for op in self._open(frame)), None)
        expected = f"; the spec applies {following.title} next" if following is not None else ""
        raise Mismatch(f"`{name}` is called on values on which the spec applies nothing{expected}")

    def _open(self, frame: _Frame) -> Iterator[Op]:
        ops = self.plans.of(frame.placed.scope).ops
        return (op for op in ops if op.training <= self.setting.training and op not in frame.done)

    # --- what comes of it ---------------------------------------------------------------------------------------------

    def _applied(self, frame: _Frame, op: Op, tensors: Sequence[Tensor], inplace: bool) -> Any:
        """The outputs of a layer, an operator or a concatenation."""
        self._check_devices(frame, op, tensors)
        item = op.item
        assert not isinstance(item, Call)
        if not isinstance(item, Apply):
            needed = op.func == "*"
            for tensor in tensors:
                if needed:
                    tensor.storage.needed = tensor.storage.needed or op.title
            shape = self._joined(op, tensors)
            return self._tensor(op.outputs[0], shape, frame.placed.device[item], Storage())
        layer = item.layer
        storage = Storage()
        if inplace:
            storage = self._overwritten(tensors[0], op)
            if not layer.inplace:
                raise Mismatch(f"{op.title} runs in place, which it cannot")
        elif layer.view or layer.alias:
            storage = tensors[0].storage
        shapes = tuple(self.setting.shape(value.shape) for value in item.inputs)
        keeps = layer.overwriting if inplace else layer.kept(shapes, self.setting.shape(item.outputs[0].shape)).saves
        kept = [*(tensors[:1] if "input" in keeps else ()), *(tensors[1:] if "others" in keeps else ())]
        for each in [*(tensor.storage for tensor in kept), *([storage] if "output" in keeps else ())]:
            each.needed = each.needed or op.title
        if self.setting.training:  # where everything runs
            self._check_shapes(item)
        made: list[Tensor] = []
        for label, value in zip(op.outputs, item.outputs, strict=True):
            if value.is_size:
                continue
            own = storage if not made or layer.view else Storage()
            made.append(self._tensor(label, self.setting.shape(value.shape), frame.placed.device[item], own))
        if item.module.indices and len(made) == 1:  # it gives its indices even where only the size is asked for
            made.append(self._tensor(-1, made[0].shape[1:], frame.placed.device[item], Storage()))
        return made[0] if len(made) == 1 else tuple(made)

    def _overwritten(self, tensor: Tensor, op: Op) -> Storage:
        storage = tensor.storage
        if storage.outer:
            raise Mismatch(f"{op.title} runs in place and overwrites an input of the module")
        if storage.needed:
            raise Mismatch(f"{op.title} runs in place and overwrites what {storage.needed} needs for the backward pass")
        storage.version += 1
        return storage

    def _joined(self, op: Op, tensors: Sequence[Tensor]) -> Ints:
        """The shape that torch gives a join, without the batch."""
        shapes = [tensor.shape[1:] for tensor in tensors]
        if op.func == "torch.cat":
            axis = op.args[0] - 1
            if any((*s[:axis], *s[axis + 1 :]) != (*shapes[0][:axis], *shapes[0][axis + 1 :]) for s in shapes):
                raise Mismatch(f"{op.title} joins {shapes}")
            return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])
        if any(a != b and 1 not in (a, b) for a, b in zip(*shapes, strict=True)):
            raise Mismatch(f"{op.title} joins {shapes}")
        return tuple(max(a, b) for a, b in zip(*shapes, strict=True))

    def _handed_on(self, frame: _Frame, op: Op, tensors: Sequence[Tensor], returned: Returned) -> Any:
        """What a submodule returns, as its caller sees it."""
        assert isinstance(op.item, Call)
        plan = self.plans.of(frame.placed.scope)
        storages: dict[int, Storage] = {}
        values: list[Any] = []
        for result in returned.results:
            if result.absent:
                values.append(None)
            elif result.size is not None:
                values.append(result.size)
            elif result.given:
                values.append(tensors[result.memory])
            else:
                if result.memory >= 0:
                    storage = tensors[result.memory].storage
                else:
                    storage = storages.setdefault(result.memory, Storage())
                storage.needed = storage.needed or result.needed
                label = plan.after_call(op.item, op.inputs, result.label)
                values.append(Tensor(self.world, label, result.shape, result.device, storage))
        return values[0] if returned.made is None else returned.made(*values)

    def _tensor(self, label: int, shape: Ints, device: int | None, storage: Storage) -> Tensor:
        place = self.devices[device] if self.devices is not None and device is not None else None
        return Tensor(self.world, label, (self.setting.batch, *shape), place, storage)

    def _check_devices(self, frame: _Frame, op: Op, tensors: Sequence[Tensor]) -> None:
        item, placed = op.item, frame.placed
        if self.devices is None or any(reader is item for reader, _ in placed.sizes):
            return
        assert not isinstance(item, Call)
        for tensor in tensors:
            if tensor.device != self.devices[placed.device[item]]:
                raise Mismatch(
                    f"{op.title} gets a value on {tensor.device}, and runs on {self.devices[placed.device[item]]}"
                )

    def _check_shapes(self, item: Apply) -> None:
        """The shape rule on numbers gives what it gave for all sizes at once."""
        inputs = [self.setting.shape(value.shape) for value in item.inputs]
        found = item.layer.shape(Fixed(), *inputs)
        several: list[object] = [shape for shape in found if isinstance(shape, tuple)] or [found]
        wanted: list[object] = [self.setting.shape(value.shape) for value in item.outputs[: len(several)]]
        if several != wanted:
            raise Mismatch(
                f"`{item.module.name}` gives {several} at {dict(self.setting.sizes)}, where {wanted} was checked"
            )


def _given(op: Op, call: TorchCall) -> tuple[int, ...]:
    """The labels of the tensors that a function is given, not only the shapes of."""
    assert isinstance(op.item, Apply)
    operands = [arg.index for arg in call.args if isinstance(arg, Operand) and not arg.attribute]
    return tuple(op.inputs[index] for index in operands)


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _tensors(each)
