"""`archdsl.load`: a spec as a live network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from archdsl.compiler import Compilation, InternalError, UsageError, together
from archdsl.graph.model import Network, state_table, weight_table

if TYPE_CHECKING:
    import torch
    from torch import nn

_MISSING = (
    "archdsl.load makes a live PyTorch module, and PyTorch is not installed. To get it:\n"
    '    pip install "archdsl[torch]"\n'
    "Checking, counting and compiling a spec need no PyTorch."
)


class TorchMissing(ImportError):
    """PyTorch is not installed; the message says how to get it."""


def load(
    spec: str | PathLike[str] | Compilation,
    /,
    network: str | None = None,
    *,
    devices: Sequence[torch.device | str | int | None] | None = None,
    guard: bool = False,
    settings: Mapping[str, Any] | None = None,
    **parameters: Any,
) -> nn.Module:
    """Compiles a spec and instantiates its network, with fresh weights.

    `spec` is a path, the text of a spec (a string with a `{` in it) or its compilation; `network` one of its networks,
    the first if it is left out; `parameters` are its own, such as `classes=10`, and `settings` holds those whose names
    mean something else here, such as {"guard": 5}. `devices` are those that `on gpu(0)`,
    `on gpu(1)`, … of the spec stand for; without them all of the network is on torch's default device. With `guard`,
    its `forward` raises ValueError for an input of a size that the network does not accept.

    Raises SpecError (the spec has errors), UsageError (it has no such network, setting or placement), TorchMissing, or
    InternalError (the live module is not what was checked: a fault of archdsl).
    """
    try:
        import torch  # noqa: F401  # asked for before the spec is read, so that what is missing is said first
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise TorchMissing(_MISSING, name="torch") from None
    from archdsl.runtime.module import module_of

    if not isinstance(guard, bool):
        raise UsageError(
            f"`guard` is true or false here; a parameter of that name is set by settings={{'guard': {guard!r}}}"
        )
    if devices is not None and (isinstance(devices, str) or not isinstance(devices, Sequence)):
        raise UsageError(
            f"`devices` takes a list of devices; a parameter of that name is set by settings={{'devices': {devices!r}}}"
        )
    given = together(settings, parameters)
    compilation = spec if isinstance(spec, Compilation) else Compilation.of(spec)
    source = compilation.compile(network, given, guard=guard)
    checked = compilation.network(network, **given)
    if devices is not None and not checked.scope.hinted:
        raise UsageError(f"`{checked.name}` has no `on gpu(n)`, so it takes no `devices`; use `.to(device)`")
    assert compilation.unit is not None, "what compiles was read"
    stem = PurePath(compilation.unit.tree.source.path.strip("<>")).stem
    cls: type[nn.Module] = getattr(module_of(source, f"{stem}:{checked.name}"), checked.name)
    net = cls(devices=tuple(devices)) if devices is not None else cls()
    _check_state(net, checked)
    return net


def _check_state(net: nn.Module, network: Network) -> None:
    """Raises InternalError unless the parameters and buffers of a live module are those of the checked network."""
    have = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    want = dict(state_table(network.scope))
    for name in (*want, *have):
        if have.get(name) != want.get(name):
            there, meant = (f"{list(at[name])}" if name in at else "absent" for at in (have, want))
            raise InternalError(network.name, f"`{name}` is {there}, where {meant} was checked")
    order = [name for name, _ in net.named_parameters()]
    if order != [name for name, _ in weight_table(network.scope)]:
        raise InternalError(network.name, "its parameters come in another order")
