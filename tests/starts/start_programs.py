"""Random networks with `init` statements at all levels, and what the manual says that each parameter starts as.

A program is made as a tree of its own; its text is written from that tree, and so is the answer: names and positions of
modules are given, and rules applied one after the other, as a reader of the manual would. Nothing is asked of the
compiler.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

PARAMETERS = {  # of each layer that programs use
    "conv(4, 1)": ("weight", "bias"),
    "conv(4, 1, bias=false)": ("weight",),
    "conv(4, 3, padding=1)": ("weight", "bias"),
    "deconv(4, 1)": ("weight", "bias"),
    "batchnorm": ("weight", "bias"),
    "batchnorm(affine=false)": (),
    "groupnorm(2)": ("weight", "bias"),
    "prelu": ("weight",),
    "relu": (),
}
BLOCK = 2  # the depth of a block's own body
KINDS = ("conv", "deconv", "batchnorm", "groupnorm", "prelu")


@dataclass
class Layer:
    call: str

    @property
    def kind(self) -> str:
        return self.call.partition("(")[0]


@dataclass
class Use:
    """A block applied with a number for its `k`: `times * k + plus` in terms of the block around it."""

    block: Block
    times: int
    plus: int


@dataclass
class Rule:
    """`init selector: constant(times * k + plus)`; `kind` or `path`, and whether `weight` is left out."""

    kind: str | None
    path: tuple[str, ...]
    parameter: str
    short: bool
    times: int
    plus: int


@dataclass
class Item:
    """A statement that makes a module: a layer, a group or a use of a block. `copies` makes it a loop's.

    `form` is "plain", "loop" (an indexed label), "repeat", "if", "skip" (a residual around it) or "shared".
    """

    what: Layer | Body | Use
    label: str | None
    form: str = "plain"
    copies: int = 1


@dataclass
class Body:
    """A scope. `chain` says that it is a labelled chain of layers, without braces and rules."""

    items: list[Item | Rule] = field(default_factory=list)
    numbered: bool = True
    chain: bool = False


@dataclass
class Block:
    name: str
    body: Body


# --- what it is -----------------------------------------------------------------------------------------------------


@dataclass
class Module:
    name: str
    labelled: bool
    what: Layer | Body | Use


def modules(body: Body) -> list[Module]:
    """The submodules of a scope by their names: labels, else positions or the layer's name with a number."""
    found: list[Module] = []
    counts: dict[str, int] = {}
    labels = {item.label for item in body.items if isinstance(item, Item)}
    for item in body.items:
        if isinstance(item, Rule):
            continue
        for copy in range(item.copies):
            if item.label is not None:
                name = f"{item.label}{copy}" if item.form == "loop" else item.label
            elif body.numbered:
                name = str(len(found))
            else:
                assert not isinstance(item.what, Body), "a group has a label"
                own = item.what.kind if isinstance(item.what, Layer) else item.what.block.name
                name = ""
                while not name or name in labels:
                    counts[own] = counts.get(own, 0) + 1
                    name = own if counts[own] == 1 else f"{own}{counts[own]}"
            found.append(Module(name, item.label is not None, item.what))
    return found


def leaves(body: Body) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """The parameters of a scope: the path of the layer, its kind, and the parameter's name."""
    for module in modules(body):
        if isinstance(module.what, Layer):
            yield from (((module.name,), module.what.kind, each) for each in PARAMETERS[module.what.call])
        else:
            inner = module.what if isinstance(module.what, Body) else module.what.block.body
            yield from (((module.name, *path), kind, each) for path, kind, each in leaves(inner))


def starts(body: Body, k: int) -> dict[tuple[tuple[str, ...], str], int]:
    """What the rules of a scope and of those inside fill, by path and parameter, in a body whose `k` is known."""
    inside: dict[tuple[tuple[str, ...], str], int] = {}
    for module in modules(body):
        if isinstance(module.what, Layer):
            continue
        inner, own = (module.what, k)
        if isinstance(module.what, Use):
            inner, own = module.what.block.body, module.what.times * k + module.what.plus
        assert isinstance(inner, Body)
        for (path, parameter), value in starts(inner, own).items():
            inside[(module.name, *path), parameter] = value
    found = dict(inside)
    for rule in body.items:
        if isinstance(rule, Rule):
            value = rule.times * k + rule.plus
            if rule.kind is None:
                found[rule.path, rule.parameter] = value
            for path, kind, parameter in leaves(body) if rule.kind is not None else ():
                if (kind, parameter) == (rule.kind, rule.parameter) and (path, parameter) not in inside:
                    found[path, parameter] = value
    return found


# --- its text -------------------------------------------------------------------------------------------------------


def formula(times: int, plus: int) -> str:
    if times:
        return f"{times} * k + {plus}" if times > 1 else f"k + {plus}"
    return str(plus)


def written(body: Body, indent: str) -> list[str]:
    lines: list[str] = []
    shared = 0
    for item in body.items:
        if isinstance(item, Rule):
            selector = item.kind or ".".join(item.path)
            selector += "" if item.short else f".{item.parameter}"
            lines.append(f"{indent}init {selector}: constant({formula(item.times, item.plus)})")
            continue
        if isinstance(item.what, Layer):
            call = item.what.call
        elif isinstance(item.what, Use):
            call = f"{item.what.block.name}(k={formula(item.what.times, item.what.plus)})"
        elif item.what.chain:
            call = " -> ".join(
                i.what.call for i in item.what.items if isinstance(i, Item) and isinstance(i.what, Layer)
            )
        else:
            call = "\n".join(["{", *written(item.what, indent + "  "), f"{indent}}}"])
        if item.form == "loop":
            lines.append(f"{indent}for i in 0..{item.copies - 1} {{ {item.label}[i] = {call} }}")
        elif item.form == "shared":
            shared += 1
            lines += [f"{indent}shared {item.label} = {call}", f"{indent}{item.label} -> {item.label}"]
        else:
            step = call if item.label is None else f"{item.label} = {call}"
            around = {
                "plain": "{}",
                "repeat": "repeat N {{ {} }}",
                "if": "if true {{ {} }}",
                "skip": "residual {{ {} }}",
            }
            lines.append(indent + around[item.form].format(step).replace("repeat N", f"repeat {item.copies}"))
    return lines


@dataclass
class Program:
    blocks: list[Block]
    body: Body

    @property
    def text(self) -> str:
        lines = []
        for block in self.blocks:
            lines += [f"block {block.name}(k=2) {{", *written(block.body, "  "), "}"]
        return "\n".join([*lines, "network N {", "  input x: [4, 6, 6]", *written(self.body, "  "), "}", ""])

    @property
    def expected(self) -> dict[str, int | None]:
        """By the name of each parameter, the number that it starts as; None where PyTorch's own start stays."""
        found = starts(self.body, 0)
        return {".".join((*path, name)): found.get((path, name)) for path, _, name in leaves(self.body)}


# --- making one -----------------------------------------------------------------------------------------------------


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.value = 2
        self.label = 0
        self.blocks: list[Block] = []

    def program(self) -> Program:
        for i in range(self.random.randint(0, 3)):
            self.blocks.append(Block(f"part{i}", self.body(BLOCK, block=True)))
        return Program(list(self.blocks), self.body(0))

    def body(self, depth: int, block: bool = False) -> Body:
        # A network is never numbered, and neither is what has a skip without a label or a shared module in it.
        numbered = (depth > 0) and self.random.random() < 0.6
        body = Body([], numbered)
        used: set[str] = set()
        for _ in range(self.random.randint(1, 4)):
            body.items.append(self.item(depth, numbered, used, block))
        if depth > 0 and not numbered:
            body.items.append(Item(Layer("conv(4, 1)"), None, "skip"))
        for _ in range(self.random.choice((0, 1, 1, 2, 3, 4))):
            rule = self.rule(body, block)
            if rule is not None:
                body.items.insert(self.random.randint(0, len(body.items)), rule)
        return body

    def item(self, depth: int, numbered: bool, used: set[str], block: bool) -> Item:
        what = self.what(depth, block)
        named = self.random.random() < 0.5 or isinstance(what, Body)
        label = None
        if named:
            label = self.fresh()
            # `batchnorm` alone would name a value then.
            if (
                isinstance(what, Layer)
                and "conv" in what.kind
                and what.kind not in used
                and self.random.random() < 0.15
            ):
                label = what.kind
                used.add(label)
        form = "plain"
        forms = ["plain"] * 4 + ["if"]
        if label is None:
            forms += ["repeat"]
            if not numbered:
                forms += ["skip"]
        elif label not in KINDS and not isinstance(what, Body):
            forms += ["loop"]
            if not numbered:
                forms += ["skip", "shared"]
        elif isinstance(what, Body) and what.chain and not numbered:
            forms += ["shared", "skip"]
        form = self.random.choice(forms)
        copies = self.random.randint(2, 3) if form in ("loop", "repeat") else 1
        return Item(what, label, form, copies)

    def what(self, depth: int, block: bool) -> Layer | Body | Use:
        chance = self.random.random()
        if chance < 0.2 and depth < 4:
            return self.body(depth + 1, block)
        if chance < 0.3:
            calls = self.random.choices(list(PARAMETERS), k=self.random.randint(2, 3))
            return Body([Item(Layer(call), None) for call in calls], chain=True)
        if chance < 0.55 and self.blocks:
            times = self.random.choice((0, 0, 1, 2)) if block else 0
            return Use(self.random.choice(self.blocks), times, self.number())
        return Layer(self.random.choice(list(PARAMETERS)))

    def rule(self, body: Body, block: bool) -> Rule | None:
        known = list(leaves(body))
        if not known:
            return None
        path, kind, parameter = self.random.choice(known)
        head = next(module for module in modules(body) if module.name == path[0])
        labels = {module.name for module in modules(body) if module.labelled}
        by_kind = kind not in labels and self.random.random() < 0.6
        if not by_kind and not (head.labelled or (not head.name.isdigit() and head.name not in KINDS)):
            return None  # a position at the start of a selector, or a name that is a kind
        if not by_kind and head.name in PARAMETERS:
            return None
        times = self.random.choice((0, 1, 2)) if block else 0
        short = parameter == "weight" and self.random.random() < 0.5
        return Rule(kind if by_kind else None, path, parameter, short, times, self.number())

    def number(self) -> int:
        self.value += self.random.choice((1, 2, 7))
        return self.value

    def fresh(self) -> str:
        self.label += 1
        return f"{self.random.choice('abcd')}_{self.label}_"


def program(seed: int) -> Program:
    return Maker(seed).program()
