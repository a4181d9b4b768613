"""Random networks with hints everywhere, and what their placement has to be by the rules of the manual.

`Writer(random).spec()` is the text of a spec. Between its statements every map has four channels and one size, so
nothing but devices can go wrong.
`expected` puts each block's statements where it is applied and follows the rules of the manual value by value; it
shares no code with the placement pass and knows nothing of who moves what.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, walk
from archdsl.layers.call import Operand

SIZE = 8
LAYERS = ("conv(4, 1)", "conv(4, 3, padding=1)", "relu", "batchnorm", "sigmoid", "maxpool(3, stride=1, padding=1)")


@dataclass
class Body:
    """What is written of one scope: its lines, the values that may be named, the names that are taken."""

    kind: str  # "network", "block", "group"
    names: list[str] = field(default_factory=list)  # of values
    taken: int = 0
    shared: list[str] = field(default_factory=list)  # modules
    training: bool = False
    projected: bool = False  # whether it has a `project` without a label


class Writer:
    """Writes one spec. Labels are numbered through, so that none is used twice."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.gpus = random.choice([(0, 1), (0, 1), (1, 2), (0, 1, 2), (0, 2, 7)])
        self.symbols = random.choice(["L", "HW", "HW", "HW", "DHW"])
        self.blocks: list[
            tuple[str, bool, str]
        ] = []  # name, takes a value, another output: "", "aux" in training, "side"
        self.plain: list[str] = []  # those that take no value, and have no training section at any depth
        self.count = 0
        self.outputs = 0

    def spec(self) -> str:
        found = [self.block() for _ in range(self.random.randrange(4))]
        return "\n".join([*found, self.network()])

    def fresh(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def one(self, *choices: str) -> str:
        return self.random.choice(choices)

    def rarely(self, share: float = 0.3) -> bool:
        return self.random.random() < share

    def hint(self, share: float = 0.35) -> str:
        return f" on gpu({self.random.choice(self.gpus)})" if self.rarely(share) else ""

    # --- definitions ------------------------------------------------------------------------------------------------

    def block(self) -> str:
        name = self.fresh("block")
        takes, other = self.rarely(), self.one("", "", "", "", "aux", "aux", "side")
        body = Body("block", ["skip"] if takes else [])
        lines = self.statements(body, 2, self.random.randint(1, 4))
        if other == "side":
            lines.append(f"output main = {self.chain(body, 1)}{self.hint()}")
            lines.append(f"output side = in -> {self.chain(body, 0, heads=False)}{self.hint()}")
        if other == "aux":
            lines.append(f"training {{ output aux = {self.chain(body, 1)}{self.hint()} }}{self.hint(0.2)}")
            lines += self.statements(body, 1, 1)
            lines.append(f"output main = {self.one('conv(4, 1)', 'relu')}{self.hint()}")
            if self.rarely() and body.names:
                lines.append(f"output {self.random.choice(body.names)}")
        self.blocks.append((name, takes, other))
        inside = "\n".join(lines)
        applied = [other for other, *_ in self.blocks if other not in self.plain]
        if not (takes or other) and "training" not in inside and not any(other in inside for other in applied):
            self.plain.append(name)
        return f"block {name}{'(skip: value)' if takes else ''} {{\n" + "\n".join(lines) + "\n}"

    def network(self) -> str:
        body = Body("network", ["x"])
        lines = [f"input x: [4, {', '.join(f'{symbol}={SIZE}' for symbol in self.symbols)}]{self.hint(0.2)}"]
        if self.rarely():
            lines.append(f"input y: [4, {', '.join(self.symbols)}]{self.hint(0.3)}")
            body.names.append("y")
        lines += self.statements(body, 3, self.random.randint(3, 8))
        if self.rarely(0.6):
            lines.append(f"output first = {self.chain(body, 1)}{self.hint()}")
            if self.rarely() and len(body.names) > 2:
                lines.append(f"output {body.names[-1]}")
            if self.rarely():
                lines.append(f"output vector = x -> global_avgpool -> flatten -> linear(3){self.hint()}")
            lines.append(f"output last = {body.names[-1]} -> {self.chain(body, 1, heads=False)}{self.hint()}")
        else:
            lines.append(f"last = conv(4, 1){self.hint()}")
        return "network Net {\n" + "\n".join(lines) + "\n}"

    # --- statements -------------------------------------------------------------------------------------------------

    def statements(self, body: Body, depth: int, count: int) -> list[str]:
        return [line for _ in range(count) for line in self.statement(body, depth)]

    def statement(self, body: Body, depth: int) -> list[str]:
        """One statement, or two that belong together. What flows before and after is one map."""
        kinds = ["chain", "chain", "label", "shared"]
        if depth:
            kinds += ["group", "braces", "skip", "join", "values", "for", "repeat", "if", "pool", "call", "call"]
            kinds += ["towers", "dense", "project", "several", "parallel"] * 2
            if body.kind != "group" and not body.training:
                kinds += ["training"] * 2
        kind = self.random.choice(kinds)
        if kind == "chain":
            return [f"{self.chain(body, depth)}{self.hint()}"]
        if kind == "label":
            return [self.labelled(body, self.chain(body, depth))]
        if kind == "shared":
            return self.share(body, depth)
        if kind == "group":
            inner = Body("group", list(body.names), training=body.training)
            known = len(inner.names)
            lines = self.inside(inner, depth)
            label = self.fresh("g")
            text = f"{label} = {{\n{lines}\n}}{self.hint(0.5)}"
            body.names.append(label)
            body.names += [f"{label}.{name}" for name in inner.names[known:] if "." not in name and "skip" not in name]
            return [text]
        if kind == "braces":
            return [f"{{\n{self.inside(body, depth)}\n}}{self.hint(0.6)}"]
        if kind == "skip":
            word = self.one("residual", "residual", "gate")
            tail = self.one(
                "", "", " shortcut { conv(4, 1) }", f" shortcut {{ {self.fresh('s')} = {{ conv(4, 1){self.hint()} }} }}"
            )
            label = self.fresh("m") if self.rarely() else ""
            inner = Body("group", list(body.names), training=body.training) if label else body
            made = f"{label + ' = ' if label else ''}{word} {{\n{self.inside(inner, depth)}\n}}{tail}{self.hint()}"
            body.names += [label] if label else []
            return [made]
        if kind == "dense":
            return [f"dense {{\n{self.inside(body, depth)}\n}} -> conv(4, 1){self.hint()}"]
        if kind == "project":
            return self.projected(body, depth)
        if kind == "several":
            return self.several(body)
        if kind == "parallel":
            a, b = self.fresh("a"), self.fresh("b")
            branches = "\n".join(f"{self.chain(body, 0)}{self.hint()}" for _ in range(2))
            body.names += [a, b]
            return [f"{a}, {b} = parallel {{\n{branches}\n}}{self.hint()}", f"add({a}, {b}){self.hint()}"]
        if kind == "join":
            word = self.one("concat", "add", "mul")
            branches = "\n".join(
                f"{self.maybe(body, self.chain(body, depth - 1), keep=False)}{self.hint()}"
                for _ in range(self.random.randint(1, 3))
            )
            wrapped = self.one("", "for i in 0..0", "if true")
            if wrapped and "=" not in branches:
                branches = f"{wrapped} {{\n{branches}\n}}{self.hint(0.5)}\n{self.chain(body, 0)}"
            after = " -> conv(4, 1)" if word == "concat" else ""
            return [f"{word} {{\n{branches}\n}}{after}{self.hint()}"]
        if kind == "values" and len(body.names) > 1:
            a, b = (self.random.choice(body.names) for _ in range(2))
            return [self.maybe(body, f"add({a}, {b})") + self.hint()]
        if kind == "for":
            label = self.fresh("t")
            index = self.one("i", str(self.gpus[0]))
            lines = f"{label}_[i] = {self.chain(body, depth - 1, heads=False)} on gpu({index})"
            return [f"for i in 0..1 {{\n{lines}\n{self.chain(body, 0)}\n}}{self.hint(0.5)}"]
        if kind == "towers":
            label = self.fresh("tower")
            lines = "\n".join(self.chain(Body("group"), 0) for _ in range(2))
            tower = f"{label}_[g] = {{\n{lines}\n}} on gpu(g)"
            return [f"concat {{ for g in [{self.gpus[0]}, {self.gpus[-1]}] {{ {tower} }} }} -> conv(4, 1)"]
        if kind == "repeat":
            return [f"repeat 2 {{ {self.chain(Body('group'), 0)}{self.hint()} }}{self.hint(0.5)}"]
        if kind == "if":
            taken, other = self.inside(body, depth), "relu"
            cases = (
                f"if true {{\n{taken}\n}} else {{\n{other}\n}}"
                if self.rarely(0.5)
                else f"if false {{ {other} }} else {{\n{taken}\n}}"
            )
            return [f"{cases}{self.hint(0.5)}"]
        if kind == "pool":
            label = self.fresh("pool")
            middle = [f"{self.one('conv(4, 1)', 'relu')}{self.hint()}"] if self.rarely(0.6) else []
            return [f"{label} = maxpool(2){self.hint()}", *middle, f"max_unpool({label}){self.hint()}"]
        if kind == "call" and self.blocks:
            return self.call(body)
        if kind == "training":
            self.outputs += 1
            inner = Body(body.kind, list(body.names), training=True, shared=list(body.shared))
            lines = (
                self.statements(inner, min(depth - 1, 1), self.random.randint(0, 2)) if body.kind == "network" else []
            )
            if body.kind == "network":
                lines.append(f"output aux{self.outputs} = {self.chain(inner, 0)}{self.hint(0.6)}")
            else:
                lines.append(f"{self.chain(inner, 0)}{self.hint(0.6)}")
            return ["training {\n" + "\n".join(lines) + f"\n}}{self.hint()}"]
        return [f"{self.chain(body, depth)}{self.hint()}"]

    def inside(self, body: Body, depth: int) -> str:
        return "\n".join(self.statements(body, depth - 1, self.random.randint(1, 3)))

    def projected(self, body: Body, depth: int) -> list[str]:
        """A skip whose sides have other channels."""
        tails = [
            f" project {self.fresh('p')} = conv(6, 1)",
            f" project {self.fresh('p')} = conv(6, 1) -> relu",
            " project conv(6, 1) -> batchnorm",
        ]
        tail = self.one(*tails, *([] if body.projected else [" project"] * 2))
        body.projected = body.projected or tail == " project"
        inside = f"{self.inside(body, depth)}\nconv(6, 1){self.hint()}"
        return [f"residual {{\n{inside}\n}}{tail}{self.hint()}", f"conv(4, 1){self.hint()}"]

    def several(self, body: Body) -> list[str]:
        """A layer with several outputs, of which some go on by themselves."""
        a, b, c = self.fresh("a"), self.fresh("b"), self.fresh("c")
        lines = [f"{a}, {b} = {self.one('split(2)', 'chunk(2)', 'split([3, 1])')}{self.hint()}"]
        if self.rarely(0.5):
            lines.append(f"{c} = {b} -> relu{self.hint()}")
            b = c
        body.names += [f"{c}_"]
        return [*lines, f"{c}_ = concat({a}, {b}) -> relu{self.hint()}"]

    def labelled(self, body: Body, chain: str) -> str:
        label = self.fresh("v")
        body.names.append(label)
        return f"{label} = {chain}{self.hint()}"

    def maybe(self, body: Body, text: str, *, keep: bool = True) -> str:
        """With a label, perhaps."""
        if not self.rarely(0.4):
            return text
        label = self.fresh("m")
        if keep:
            body.names.append(label)
        return f"{label} = {text}"

    def chain(self, body: Body, depth: int, *, heads: bool = True) -> str:
        steps = [self.step(body) for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        if heads and body.names and self.rarely():
            steps.insert(0, self.random.choice(body.names))
        if depth and self.rarely(0.15):
            steps.append(f"{{ {self.one(*LAYERS)}{self.hint()} }}")
        return " -> ".join(steps)

    def step(self, body: Body) -> str:
        if body.names and self.rarely(0.1):
            return f"{self.one('crop', 'upsample')}(to={self.random.choice(body.names)})"
        return self.one(*LAYERS)

    def share(self, body: Body, depth: int) -> list[str]:
        if not body.shared or self.rarely():
            label = self.fresh("h")
            chain = self.one("conv(4, 1)", "conv(4, 1) -> relu", "batchnorm")
            if self.rarely(0.4):
                chain = f"{{ conv(4, 1){self.hint()}; relu }}"
            if self.plain and self.rarely(0.4):
                chain = self.random.choice(self.plain)
            body.shared.append(label)
            declared = [f"shared {label} = {chain}{self.hint(0.3)}"]
            return declared if body.training else [*declared, *([label] if self.rarely(0.5) else [])]
        name = self.random.choice(body.shared)
        return [
            self.maybe(body, f"{self.random.choice(body.names)} -> {name}" if body.names else name) + self.hint(0.1)
        ]

    def call(self, body: Body) -> list[str]:
        name, takes, other = self.random.choice(self.blocks)
        if takes and not body.names:
            return [self.chain(body, 0)]
        step = f"{name}({self.random.choice(body.names)})" if takes else name
        if not other:
            return [self.maybe(body, step) + self.hint(0.5)]
        label = self.fresh("n")
        lines = [f"{label} = {step}{self.hint(0.5)}", f"{label}.main -> {self.one(*LAYERS)}"]
        if other == "side":
            body.names.append(f"{label}.side")
        elif body.kind == "network" and not body.training and self.rarely(0.6):
            self.outputs += 1
            lines.append(f"training {{ output aux{self.outputs} = {label}.aux -> relu{self.hint()} }}")
        return lines


# --- what has to be ---------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Tensor:
    """A value of the network with all blocks put in place."""

    value: Value
    home: int
    needed: dict[int, bool] = field(default_factory=dict)  # on which devices; whether in training mode only


@dataclass
class Expected:
    """The device of each parameter by its name, and the tensors."""

    weights: dict[str, int] = field(default_factory=dict)
    tensors: list[Tensor] = field(default_factory=list)

    def moves(self, training: bool) -> Iterator[tuple[Value, int, int]]:
        """Value, source and target of each transfer of a forward pass."""
        for tensor in self.tensors:
            for device, only in tensor.needed.items():
                if device != tensor.home and (training or not only):
                    yield tensor.value, tensor.home, device


def expected(network: Network) -> Expected:
    found = Expected()
    inputs = [
        Tensor(value, hint or 0) for value, hint in zip(network.scope.inputs, network.scope.input_hints, strict=True)
    ]
    found.tensors += inputs
    _run(found, network.scope, inputs, None, "", None)
    return found


def _run(
    found: Expected, scope: Scope, inputs: list[Tensor], around: int | None, prefix: str, again: Iterator[int] | None
) -> tuple[dict[Value, Tensor], list[int]]:
    """The tensors of a scope, and the devices of what ran in it, in order; `again` are those of its first time."""
    unread = _unread(scope)
    at = dict(zip(scope.inputs, inputs, strict=True))
    ran: list[int] = []
    first: dict[str, list[int]] = {}
    for item in walk(scope.items):
        hint = around if item.hint is None else item.hint
        if isinstance(item, Call):
            name = item.module.name
            replay = again if again is not None else None if item.first else iter(first[name])
            inner, devices = _run(
                found, item.scope, [at[v.tensor] for v in item.inputs], hint, f"{prefix}{name}.", replay
            )
            first.setdefault(name, devices)
            ran += devices
            at.update((out, inner[r.value.tensor]) for out, r in zip(item.outputs, item.scope.results, strict=True))
            at.update((out, inner[item.scope.exports[key].tensor]) for key, out in item.exports.items())
            continue
        if isinstance(item, Join) and item.kind == "parallel":
            continue
        read = _read(item)
        if isinstance(item, Join) and item.kind != "concat" and len(read) == 1:
            at[item.output] = at[read[0].tensor]  # nothing is added up
            continue
        device = at[read[0].tensor].home if hint is None else hint
        if isinstance(item, Apply):
            if not item.first:
                device = first[item.module.name][0]
            first.setdefault(item.module.name, [device])
        device = device if again is None else next(again)
        ran.append(device)
        made = item.outputs if isinstance(item, Apply) else [item.output]
        for i, value in enumerate(read):
            if item not in unread and not value.is_size and not (isinstance(item, Apply) and _lends_size(item, i)):
                needed = at[value.tensor].needed
                needed[device] = needed.get(device, True) and all(each.training for each in made)
        at.update((value, Tensor(value, device)) for value in made)
        found.tensors += (at[value] for value in made)
        if isinstance(item, Apply):
            found.weights.update({f"{prefix}{item.module.name}.{key}": device for key in item.module.weights})
    return at, ran


def _read(item: Apply | Call | Join | Skip) -> list[Value]:
    if isinstance(item, (Apply, Call)):
        return item.inputs
    if isinstance(item, Join):
        return [branch.value for branch in item.branches]
    return [item.projection.value if item.projection is not None else item.source, item.body]


def _unread(scope: Scope) -> set[Join | Skip]:
    """The joins that are not worked out, as nothing but other such joins uses them."""
    found: set[Join | Skip] = set()
    leaving = {value.tensor for value in (*(r.value for r in scope.results), *scope.exports.values())}
    while True:
        used = leaving | {value.tensor for item in walk(scope.items) if item not in found for value in _read(item)}
        more = {item for item in walk(scope.items) if isinstance(item, (Join, Skip)) and item.output.tensor not in used}
        if more == found:
            return found
        found = more


def _lends_size(item: Apply, index: int) -> bool:
    made = item.layer.function(*(value.shape for value in item.inputs))
    if made is None or item.module.weights:
        return False
    return all(arg.attribute for arg in made.args if isinstance(arg, Operand) and arg.index == index)
