"""Whether a call that a program makes is a certain application of the graph; if not, how the two differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.graph.model import Apply, Join, Skip, Value
from archdsl.layers.call import Call as TorchCall
from archdsl.layers.call import Operand
from archdsl.validate.calls import ADDED, Label, is_call, is_longer_call, shown
from archdsl.validate.plan import Op
from archdsl.validate.setting import Setting
from archdsl.validate.standins import Leaf


@dataclass
class Matching:
    """Compares calls in one setting. Each method returns the difference as words, None if there is none."""

    setting: Setting
    alike: set[tuple[Leaf, Op, object]]  # layers that were compared before, in whatever setting

    def leaf(self, name: str, module: Leaf, sizes: Sequence[Any], op: Op, device: object) -> str | None:
        """The call of a layer's submodule; `device` is where its parameters should be."""
        item = op.item
        if not isinstance(item, Apply):
            return f"`{name}` is called where the spec has {op.title}"
        if op.stateful and item.module.name != name:
            return f"`{name}` is called where the spec has {op.title}"
        if op.sizes or sizes:
            differs = self.sizes(name, sizes, op)
            if differs is not None:
                return differs
        if (module, op, device) in self.alike:
            return None
        wanted = op.module_call
        if wanted is None:
            return f"`{name}` is a module where the spec has the function {op.title}"
        options = {key: value for key, value in module.kwargs.items() if key not in ADDED}
        have = TorchCall(module.func, module.args, options)
        if not is_call(have, wanted) and not is_longer_call(have, wanted, op.module_call_spelt_out):
            return f"{op.title} is {shown(have)}, where the spec has {shown(wanted)}"
        if (module.kwargs.get("return_indices") is True) != item.module.indices:
            return f"{op.title} {'lacks' if item.module.indices else 'has'} return_indices=True"
        built = module.kwargs.get("device")
        if built != (device if wanted.factory else None):
            return f"{op.title} is built on {built}, and placed on {device}"
        self.alike.add((module, op, device))
        return None

    def sizes(self, name: str, sizes: Sequence[Any], op: Op) -> str | None:
        """The sizes, of poolings, that a submodule is given."""
        if [tuple(size) for size in sizes] != [self.setting.shape(value.shape)[1:] for value in op.sizes]:
            return f"`{name}` is given the size {sizes!r}"
        return None

    def function(
        self, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any], op: Op, labels: Mapping[Value, int]
    ) -> str | None:
        """The call of a function or of an operator; `labels` are those of the scope's values."""
        item = op.item
        if isinstance(item, (Join, Skip)):
            if name != op.func:
                return f"`{name}` is called where the spec has {op.title}"
            if name == "torch.cat" and (len(args) != 1 or dict(kwargs) != {"dim": op.args[0]}):
                return f"{op.title} joins along {dict(kwargs)}, where the spec has axis {op.args[0]}"
            return None
        if op.function_call is None:
            return f"`{name}` is called where the spec has {op.title}"
        have, wanted = TorchCall(name, args, kwargs), self._resolved(op, op.function_call, labels)
        if not is_call(have, wanted):
            return f"{op.title} is {shown(have)}, where the spec has {shown(wanted)}"
        return None

    def _resolved(self, op: Op, call: TorchCall, labels: Mapping[Value, int]) -> TorchCall:
        """The call with its operands as labels, and what it reads of their shapes as numbers."""
        item = op.item
        assert isinstance(item, Apply)

        def value(arg: Any) -> Any:
            if not isinstance(arg, Operand):
                return arg
            operand = item.inputs[arg.index]
            if not arg.attribute:
                return Label(labels[operand.tensor])
            shape = (self.setting.batch, *self.setting.shape(operand.shape))
            return eval(arg.attribute, {"__builtins__": {}}, {"shape": shape})  # text of a layer, never of a spec

        return TorchCall(call.func, tuple(map(value, call.args)), {k: value(v) for k, v in call.kwargs.items()})
