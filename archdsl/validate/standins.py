"""Stand-ins for torch: modules that know their children and arguments, tensors that know their shape and device.

They compute nothing. What a program does with them, it reports to the `Observer` of the world that it runs in: the
call of a submodule, of a function, of an operator, a move to another device. The observer answers with tensors.
Children, their names and their order are kept as torch.nn.Module and nn.Sequential keep them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol

from archdsl.passes.elaborate.pythonic import MODULE_ATTRIBUTES
from archdsl.validate.errors import Mismatch


class Storage:
    """The memory of one or several tensors: how often it was written, and what the backward pass needs of it."""

    __slots__ = ("needed", "outer", "version")

    def __init__(self, outer: bool = False) -> None:
        self.version = 0
        self.outer = outer  # it belongs to whoever called the module
        self.needed = ""  # by what, if the backward pass needs it as it is


class Tensor:
    """A tensor: what it is in the graph (`label`), its shape with the batch first, its device and its storage."""

    def __init__(self, world: World, label: int, shape: tuple[int, ...], device: object, storage: Storage) -> None:
        self._world = world
        self.label = label
        self.shape = Size(shape)
        self.device = device
        self.storage = storage
        self.version = storage.version

    def check_intact(self) -> None:
        """Raises Mismatch if its memory was written since."""
        if self.version != self.storage.version:
            raise Mismatch("it reads a value that was overwritten in place")

    def dim(self) -> int:
        return len(self.shape)

    def to(self, device: object) -> Tensor:
        return self._world.observer.move(self, device)

    def __add__(self, other: object) -> Any:
        return self._world.observer.function("+", (self, other), {})

    def __mul__(self, other: object) -> Any:
        return self._world.observer.function("*", (self, other), {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Function(self._world, f".{name}", (self,))


class Size(tuple[int, ...]):
    """torch.Size."""

    def __getitem__(self, key: Any) -> Any:
        found = tuple.__getitem__(self, key)
        return Size(found) if isinstance(key, slice) else found


class Device:
    """torch.device, which emitted code uses in annotations only."""


class Observer(Protocol):
    """Who is told of what a program does with tensors, and says what comes of it."""

    def call(self, module: Module, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any: ...
    def function(self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any: ...
    def move(self, tensor: Tensor, device: object) -> Tensor: ...


class Fill(NamedTuple):
    """The call of an initialiser, without the parameter."""

    function: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


class Parameter(NamedTuple):
    """A parameter of a layer, as initialisers are given it."""

    leaf: Leaf
    name: str

    def requires_grad_(self, learns: bool) -> None:
        (self.leaf.fixed.discard if learns else self.leaf.fixed.add)(self.name)


class _Construction(type):
    """Classes of modules. An instance of an emitted class knows what it was built with."""

    def __call__(cls, /, *args: Any, **kwargs: Any) -> Any:
        made = super().__call__(*args, **kwargs)
        if "__init__" in vars(cls):
            vars(made)["__built__"] = True
            vars(made)["__origin__"] = (cls, _frozen(args), _frozen(tuple(sorted(kwargs.items()))))
        return made


def _frozen(value: Any) -> Any:
    """A key that is equal for equal arguments of equal types."""
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(map(_frozen, value)))
    return (type(value), repr(value))


class Module(metaclass=_Construction):
    """nn.Module: children in the order in which they were set.

    What it has beyond that has names that no child can have.
    """

    __world__: World
    __taken__: ClassVar[frozenset[str]] = frozenset()  # what a container has beside the attributes of nn.Module
    __origin__: Any  # equal for instances of one class with equal arguments; None for nn.Sequential itself
    __built__: bool  # what an emitted class has is set by its constructor alone
    training: bool
    _modules: dict[str, Module]

    def __init__(self) -> None:
        vars(self).update(_modules={}, __origin__=None, __built__=False)

    def __setattr__(self, name: str, value: Any) -> None:
        children = vars(self).get("_modules")
        if isinstance(value, Module):
            if children is None:
                raise Mismatch(f"`{name}` is set before nn.Module.__init__")
            _check_addition(self, name, value)
            vars(self).pop(name, None)
            children[name] = value
        elif children is not None and name in children:
            raise Mismatch(f"the submodule `{name}` is overwritten by {value!r}")
        elif (type(value) is not bool and name != "devices") or name in MODULE_ATTRIBUTES or self.__built__:
            raise Mismatch(f"`{name}` is set to {value!r}, which is no submodule")
        else:
            vars(self)[name] = value

    def __getattr__(self, name: str) -> Any:
        children = vars(self).get("_modules", {})
        if name in children:
            return children[name]
        if name == "training":
            self.__world__.mode_matters = True
            return self.__world__.training
        raise AttributeError(f"`{type(self).__name__}` has no `{name}`")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.__world__.observer.call(self, args, kwargs)

    def add_module(self, name: str, module: Module) -> None:
        if name in vars(self):
            raise Mismatch(f"the submodule `{name}` would hide an attribute")
        _check_addition(self, name, module)
        self._modules[name] = module

    def get_parameter(self, path: str) -> Parameter:
        owner, _, name = path.rpartition(".")
        leaf = _below(self, owner)
        if not isinstance(leaf, Leaf):
            raise Mismatch(f"there is no parameter `{path}`")
        return Parameter(leaf, name)

    def modules(self) -> Iterator[Module]:
        """This module and all below it."""
        yield self
        for child in self._modules.values():
            yield from child.modules()

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """The parameters below, by their paths; where a layer has none of that name, nobody asks for it."""
        for name, child in self._modules.items():
            if isinstance(child, Leaf):
                yield from ((f"{name}.{p.name}", p) for p in (child.weight, child.bias) if p is not None)
            yield from ((f"{name}.{path}", parameter) for path, parameter in child.named_parameters())


def _check_addition(module: Module, name: str, child: object) -> None:
    """Raises Mismatch unless a module can be given a submodule of that name now."""
    if not isinstance(child, Module):
        raise Mismatch(f"the submodule `{name}` is {child!r}")
    if child is module:
        raise Mismatch(f"the module contains itself as `{name}`")
    if module.__built__ or isinstance(module, Leaf):
        raise Mismatch(f"a module is given the submodule `{name}` from outside")
    if name in MODULE_ATTRIBUTES or name in module.__taken__:
        raise Mismatch(f"the submodule `{name}` would be hidden by an attribute of its class")


def _below(module: Module, path: str) -> Module:
    for name in path.split("."):
        if name not in module._modules:
            raise Mismatch(f"there is no submodule `{path}`")
        module = module._modules[name]
    return module


class Sequential(Module):
    """nn.Sequential."""

    __taken__ = frozenset({"_get_item_by_idx", "append", "extend", "insert", "pop"})

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        first = modules[0] if modules else None
        named = first.items() if isinstance(first, OrderedDict) else ((str(i), each) for i, each in enumerate(modules))
        for name, module in named:
            self.add_module(name, module)

    def __len__(self) -> int:
        return len(self._modules)

    def append(self, module: Module) -> None:
        self.add_module(str(len(self)), module)

    def forward(self, x: Any) -> Any:
        for module in self._modules.values():
            x = module(x)
        return x


class ModuleDict(Module):
    """nn.ModuleDict."""

    __taken__ = frozenset({"clear", "items", "keys", "pop", "update", "values"})

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.add_module(name, module)


class Leaf(Module):
    """A module of PyTorch, or one that a layer brings along: the call that made it, and what filled its parameters."""

    func: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    fills: dict[str, Fill]
    fixed: set[str]  # the parameters that training leaves as they are

    def __init__(self, /, *args: Any, **kwargs: Any) -> None:
        super().__init__()
        vars(self).update(args=args, kwargs=kwargs, fills={}, fixed=set())

    @property
    def weight(self) -> Parameter | None:
        turned_off = any(self.kwargs.get(option) is False for option in ("affine", "elementwise_affine"))
        return None if turned_off else Parameter(self, "weight")

    @property
    def bias(self) -> Parameter | None:
        turned_off = any(self.kwargs.get(option) is False for option in ("affine", "elementwise_affine", "bias"))
        return None if turned_off else Parameter(self, "bias")


class Function:
    """A function of torch, or a method of a tensor with that for its first argument."""

    def __init__(self, world: World, name: str, first: tuple[Any, ...] = ()) -> None:
        self._world, self._name, self._first = world, name, first

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._world.observer.function(self._name, (*self._first, *args), kwargs)

    def __getattr__(self, name: str) -> Function:
        """A function of a part of torch, such as torch.special.expit."""
        if name.startswith("_"):
            raise AttributeError(name)
        return Function(self._world, f"{self._name}.{name}")


class _Initialiser:
    """A function of torch.nn.init, or one that comes along: of two calls for one parameter the later counts."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, parameter: Any, *args: Any, **kwargs: Any) -> None:
        if not isinstance(parameter, Parameter):
            raise Mismatch(f"`{self._name}` is given {parameter!r}, no parameter")
        parameter.leaf.fills[parameter.name] = Fill(self._name, args, kwargs)
        if kwargs.get("fixed"):
            parameter.requires_grad_(False)


class _Namespace:
    """A module of torch: attributes come to be when they are asked for."""

    def __init__(self, make: Any, **known: Any) -> None:
        vars(self).update(known)
        vars(self)["_make"] = make

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = vars(self)[name] = self._make(name)
        return found


class World:
    """torch for one emitted file: its namespaces, and who observes what is called."""

    observer: Observer

    def __init__(self) -> None:
        self.training = False
        self.mode_matters = False  # whether a program has asked for the mode
        self.provided: dict[str, Any] = {}
        self.base: type | None = None  # of the modules with parts on several devices
        world = {"__world__": self}
        self.nn = _Namespace(
            self._leaf,
            Module=_Construction("Module", (Module,), dict(world)),
            Sequential=_Construction("Sequential", (Sequential,), dict(world)),
            ModuleDict=_Construction("ModuleDict", (ModuleDict,), dict(world)),
            init=_Namespace(lambda name: _Initialiser(f"nn.init.{name}")),
        )
        functional = _Namespace(lambda name: Function(self, f"F.{name}"))
        vars(self.nn)["functional"] = functional
        self.torch = _Namespace(
            lambda name: Function(self, f"torch.{name}"), nn=self.nn, Tensor=Tensor, Size=Size, device=Device
        )

    def _leaf(self, name: str) -> type:
        return _Construction(name, (Leaf,), {"__world__": self, "func": f"nn.{name}"})

    def provide(self, name: str, *, is_class: bool, is_base: bool) -> None:
        """Defines what comes along: a base of modules, a layer's module, or a function."""
        if is_class and is_base:
            self.base = self.provided[name] = _Construction(name, (Module,), {"__world__": self})
        elif is_class:
            self.provided[name] = _Construction(name, (Leaf,), {"__world__": self, "func": name})
        else:
            self.provided[name] = _Either(self, name)


class _Either:
    """A function that comes along: a layer's, or one that fills a parameter."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self._name = world, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], Parameter):
            return _Initialiser(self._name)(*args, **kwargs)
        return self._world.observer.function(self._name, args, kwargs)
