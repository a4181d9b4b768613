"""Faults for the emitter and the initialisation, each as a change of a source and a spec that it makes wrong.

    python tests/validate/seeded.py                what each of them leads to, as JSON
    python tests/validate/seeded.py --without      the same where nothing is validated: all of them hand out code
    python tests/validate/seeded.py --interpreted  what tests/whole says of that code, run beside an interpretation

Every module of archdsl is imported anew for each fault, with the one source changed as it is read.
"""

from __future__ import annotations

import importlib.machinery
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import ClassVar, NamedTuple

EMIT = "archdsl.emit.torch."


class Fault(NamedTuple):
    what: str
    module: str
    old: str
    new: str
    spec: str
    settings: Mapping[str, int] = {}


def net(body: str, before: str = "", parameters: str = "", where: str = "[4, H=8, W=8]") -> str:
    return f"{before}\nnetwork Net{parameters} {{ input x: {where}\n{body} }}\n"


UNIT = "block unit(width, stride=1) { residual { conv(width, 3, stride=stride, padding=1, bias=false) -> batchnorm } "
PROJECTED = UNIT + "project down = conv(width, 1, stride=stride, bias=false); relu }"
TWICE = "a = b(4); b = x -> b(6); concat(a, b)"
BRANCHES = "concat { one = conv(2, 1); two = conv(3, 1) }"
INIT = "conv(4, 1); q = { conv(5, 1); batchnorm }; fc = conv(3, 1)\n"

FAULTS: Sequence[Fault] = (
    Fault("a product loses the parentheses on its right", EMIT + "say", "level + (not regrouped)", "level",
          net("b(7)", "block b(width) { conv(2 * (width // 2), 1) }")),
    Fault("an expression of the author loses its parentheses", EMIT + "say", "self._wrap(operand, level + 1, depth)",
          "self._wrap(operand, level, depth)",
          net("b(7)", "block b(w) { conv(8, 1, bias=w - (w - 2) > 1) }")),
    Fault("a range ends a turn early", EMIT + "say", "str(node.last.value + 1)", "str(node.last.value)",
          net("b(3)", "block b(n) { for i in 1..3 { conv(n * i, 1) -> relu } }")),
    Fault("a float is rounded", EMIT + "say", "return repr(value)", 'return f"{value:.2f}"', net("dropout(0.125)")),
    Fault("a keyword is a variable", EMIT + "say", "while keyword.iskeyword(name) or", "while",
          net("conv(lambda, 1)", parameters="(lambda=8)")),
    Fault("instances that differ are one class", EMIT + "code", "if isinstance(a, Line) and a == b:",
          "if isinstance(a, Line) and isinstance(b, Line):",
          net(TWICE, "block b(w) { let n = [3, 5][w // 5]; if w > 4 { conv(5, 1) } else { conv(3, 1) } }")),
    Fault("a branch is built before the one that stands before it", EMIT + "construct",
          "for branch in item.branches:", "for branch in reversed(item.branches):", net(BRANCHES)),
    Fault("a pooling keeps its indices", EMIT + "construct", 'args.append("return_indices=True")', "pass",
          net("pool = maxpool(2); conv(4, 1); max_unpool(pool)")),
    Fault("weights are built on no device", EMIT + "construct", "args += self.device_argument(placed.device[item])",
          "pass", net("conv(4, 1); conv(4, 1) on gpu(1)")),
    Fault("weights are built on another device", EMIT + "construct", "placed.device[item])\n        return Bracket",
          "0)\n        return Bracket", net("conv(4, 1); conv(4, 1) on gpu(1)")),
    Fault("everything runs in place", EMIT + "forward", "if item in self.classes.inplace:",
          "if item.layer.inplace:", net("y = relu; add(x, y)")),
    Fault("a value may be overwritten that is used again", "archdsl.passes.inplace",
          "self._uses[scope][value] == 1", "self._uses[scope][value] >= 1", net("y = conv(4, 1); z = relu; add(y, z)")),
    Fault("what a layer keeps may be overwritten", "archdsl.passes.inplace",
          'kept = "output" in maker.layer.saves or maker.layer.inplace', "kept = False", net("sigmoid; relu")),
    Fault("a projection needs both differences", EMIT + "projections", '" or ".join(parts)', '" and ".join(parts)',
          net("unit(4); unit(4, stride=2); unit(8)", PROJECTED)),
    Fault("no projection", EMIT + "construct", "yield Flagged(condition, body)", "yield Flagged(condition, ())",
          net("unit(4); unit(8, stride=2)", PROJECTED)),
    Fault("a sum in a sum loses its parentheses", EMIT + "forward", '"+": "+"}[op] for', '"+": ""}[op] for',
          net("y = conv(4, 1); z = conv(4, 1); a = add(x, y); b = add(a, x); add(z, b)")),
    Fault("a gate is a sum", EMIT + "forward", '"residual": "+", "gate": "*"', '"residual": "+", "gate": "+"',
          net("gate { sigmoid }")),
    Fault("the other side of a skip is its body", EMIT + "forward", "self.hands = [body, source] if",
          "self.hands = [body, body] if", net("residual { conv(4, 1) }")),
    Fault("branches are joined along another axis", EMIT + "forward", 'f"dim={item.axis + 1}")\n        else:\n'
          "            doc = self._infix(op)\n        typed = item.kind == \"concat\"",
          'f"dim={item.axis + 2}")\n        else:\n            doc = self._infix(op)\n'
          '        typed = item.kind == "concat"', net(BRANCHES)),
    Fault("a variable is overwritten that is read again", EMIT + "body", "self.left[holder] > 0", "False",
          net("residual { conv(4, 1) -> relu -> sigmoid -> conv(4, 1) -> tanh -> conv(4, 1) }")),
    Fault("layers run in another order", EMIT + "body", "        ran = [each for each in self.hands if each.ran is not "
          "None]\n        if not ran:", "        ran = []\n        if not ran:",
          net("a = dropout(0.5) -> conv(4, 1); b = x -> dropout(0.5) -> conv(4, 1); add(b, a)")),
    Fault("what nobody uses does not run", EMIT + "body", "        self.out.append(Line(made.doc))", "        pass",
          net("conv(4, 1) -> batchnorm; output y = x -> conv(2, 1)")),
    Fault("what runs in training runs in evaluation", EMIT + "forward", 'Block("if self.training", body)',
          'Block("if not self.training", body)',
          net("training { output aux = conv(2, 1) }; output y = x -> conv(3, 1)")),
    Fault("an output of training is not there in evaluation", EMIT + "forward",
          'self.out.append(Line(f"{name}: Tensor | None = None"))', "pass",
          net("training { output aux = conv(2, 1) }; output y = x -> conv(3, 1)")),
    Fault("a value that moves in training is missing after it", EMIT + "forward",
          "        self.copies.before(section)\n", "",
          net("y = conv(4, 1)\ntraining { output aux = y -> conv(2, 1) on gpu(1) }\n"
              "output z = y -> conv(3, 1) on gpu(1)")),
    Fault("a value moves once more", EMIT + "copies", "        if (tensor, device) in self._at:\n"
          "            return self._at[tensor, device]\n", "",
          net("y = conv(4, 1); a = conv(4, 1) on gpu(1); b = y -> conv(4, 1) on gpu(1); add(a, b)")),
    Fault("a value does not move", EMIT + "copies", "if device == self.placed.of[tensor]:", "if True:",
          net("conv(4, 1); conv(4, 1) on gpu(1)")),
    Fault("a pooling notes another size", EMIT + "forward", ".shape[2:]", ".shape[1:-1]",
          net("pool = maxpool(2); conv(4, 1); max_unpool(pool)")),
    Fault("parts are exchanged", EMIT + "forward", "        for name, value in zip(names, outputs, strict=True):",
          "        for name, value in zip(reversed(names), outputs, strict=True):",
          net("a, b = split(2); concat(a, b, a)")),
    Fault("outputs of a block are exchanged", EMIT + "forward", "fields[inner]", "list(fields.values())[0]",
          net("p = b; output u = p.one; output v = p.two",
              "block b { output one = conv(4, 1); output two = in -> conv(4, 3, padding=1) }")),
    Fault("the size of another value", EMIT + "forward", "operand = self.hands[arg.index]", "operand = self.hands[0]",
          net("y = maxpool(2); upsample(to=x)")),
    Fault("an argument is left out", EMIT + "classes", "return None if text == p.default else text", "return None",
          net("b(8); b(8, kernel=5)", "block b(w, kernel=3) { conv(w, kernel, padding=kernel // 2) }")),
    Fault("a class is given another dim of its input", EMIT + "classes",
          "return variables.say(item.inputs[i].shape[axis])", "return variables.say(item.inputs[i].shape[axis] + 1)",
          net("b(8); b(6)", "block b(w) { conv(w, 1) -> relu }")),
    Fault("a group has the numbers of another use", EMIT + "classes", "ref = refs[p.key]",
          "ref = next(iter(refs.values()))",
          net("b(4, 6); b(6, 3)", "block b(v, w) { body = concat { conv(w, 1); conv(v, 3, padding=1) } }")),
    Fault("a loop carries the channels that entered it", EMIT + "sequence",
          "ends.append(self._assign(name, Traced(int(out), expr_of(out))))", "ends.append(())",
          net("b(3)", "block b(n) { for i in 1..3 { conv(n * i, 1) -> relu } }")),
    Fault("a label's index is another", EMIT + "sequence", 'f"{{{text}}}"', 'f"{{{text} + 1}}"',
          net("b(3)", "block b(n) { for i in 1..3 { c[i] = conv(4, 1) -> relu } }")),
    Fault("a rule of a part is lost to one around it", EMIT + "initial", 'tests += [f"{parameter} not in {kept}"]',
          "tests += []", net(INIT + "r = { conv(4, 1); conv(4, 1); conv(4, 1); init conv: ones }\ninit conv: zeros")),
    Fault("a rule by a path is lost", EMIT + "initial", "        yield self._fill(rule, parameter)\n", "",
          net(INIT + "init conv: zeros\ninit fc: ones")),
    Fault("arguments of an initialiser are lost", EMIT + "initial", "rule.arguments[name] != defaults[name]", "False",
          net(INIT + "init conv: normal(std=0.01)")),
    Fault("a rule for biases fills weights", EMIT + "initial", 'f"{module}.{sweep.rule.parameter}"',
          'f"{module}.weight"', net(INIT + "init conv.bias: zeros")),
    Fault("a kernel stays fixed that another rule fills", EMIT + "initial",
          'yield Line(f"{parameter}.requires_grad_(True)")', "pass",
          net("a = up(4); b = up(4); init b.0: ones",
              "block up(w) { deconv(w, 4, bias=false); init deconv: bilinear(fixed=true) }")),
    Fault("a guard refuses what is accepted", EMIT + "guard", '" or ".join(_refused(domain, variables))',
          '"True"', net("conv(4, 3)")),
    Fault("a guard refuses a size in the middle", EMIT + "guard", 'yield f"{variable} < {allowed.start}"',
          'yield f"{variable} < {allowed.start} or {variable} == 100"', net("conv(4, 3)")),
    Fault("a default is the spec's where a setting is another", EMIT + "classes",
          "return _frozen_list(scope.params[param.name])", "return Variables().translate(param.default)",
          net("conv(w, 1)", parameters="(w=4)"), {"w": 8}),
    Fault("two layers have one kernel", EMIT + "classes", "init += self._inits(scope, constructor)",
          'init += (Line("self.b.weight = self.a.weight"), *self._inits(scope, constructor))',
          net("a = conv(4, 1); b = conv(4, 1)")),
    Fault("a forward decides by a size", EMIT + "classes", "body = forward.write()",
          'body = (Line("y = x if x.shape[2] < 100 else None"), *forward.write())', net("conv(4, 1)")),
)  # fmt: skip


class _Loader(importlib.machinery.SourceFileLoader):
    """Reads a source with a change."""

    def __init__(self, name: str, path: str, changes: Sequence[tuple[str, str]]) -> None:
        super().__init__(name, path)
        self._changes = changes

    def get_code(self, fullname: str) -> CodeType:
        text = self.get_data(self.path).decode()
        for old, new in self._changes:
            if old not in text:
                raise AssertionError(f"{fullname} has no {old!r}")
            text = text.replace(old, new)
        return compile(text, self.path, "exec")


class _Finder(importlib.machinery.PathFinder):
    changes: ClassVar[dict[str, list[tuple[str, str]]]] = {}

    @classmethod
    def find_spec(cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None):  # type: ignore[no-untyped-def, override]  # as in importlib
        found = super().find_spec(fullname, path, target)
        if found is not None and fullname in cls.changes and found.origin is not None:
            found.loader = _Loader(fullname, found.origin, cls.changes[fullname])
        return found


# Code is handed out as it was written.
UNVALIDATED = (
    "archdsl.compiler",
    "            try:\n                validation =",
    "            return text\n            try:\n                validation =",
)


def seed(fault: Fault, *, validated: bool) -> None:
    """From here on archdsl has the fault."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("archdsl", "whole")]:
        del sys.modules[name]
    _Finder.changes = {fault.module: [(fault.old, fault.new)]}
    if not validated:
        _Finder.changes.setdefault(UNVALIDATED[0], []).append(UNVALIDATED[1:])


def outcome(fault: Fault, *, validated: bool = True) -> str:
    """What compiling the fault's spec leads to: the message of an internal error, or "code"."""
    seed(fault, validated=validated)
    from archdsl.compiler import Compilation, InternalError

    spec = Compilation.from_text(fault.spec, "net.arch")
    assert spec.ok, spec.diagnostics
    try:
        spec.compile(settings=fault.settings, guard="guard" in fault.module)
    except InternalError as error:
        return str(error).partition("checked: ")[2].partition("\n")[0]
    return "code"


def interpreted(fault: Fault) -> str:
    """How the emitted module differs from an interpretation of the graph, where nothing is validated."""
    seed(fault, validated=False)
    from whole.comparison import examine
    from whole.generator import MAIN

    with tempfile.TemporaryDirectory() as folder:
        try:
            examine({MAIN: fault.spec}, Path(folder), 0, every=True)
        except Exception as error:  # whatever goes wrong is what is asked for
            return f"{type(error).__name__}: {error}".partition("\n")[0]
    return "nothing"


def main(arguments: Sequence[str]) -> None:
    sys.meta_path.insert(0, _Finder)
    sys.path.insert(0, str(Path(__file__).parents[1]))
    faults = FAULTS[::10] if "--few" in arguments else FAULTS
    if "--interpreted" in arguments:
        found = {fault.what: interpreted(fault) for fault in faults}
    else:
        found = {fault.what: outcome(fault, validated="--without" not in arguments) for fault in faults}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
