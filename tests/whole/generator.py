"""Random specs in the whole language.

A spec is sound by construction as far as that is easy: each value carries what is known of its channels and size, in
words of the spec, and only what is known to agree is joined. What the checker refuses nevertheless is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whole.joins import Joins
from whole.knowledge import Block, Parameter, Scope, Value

MAIN, LIBRARY = "main.arch", "library.arch"
TYPICAL = {1: (7, 14), 2: (6, 10), 3: (4, 6)}  # sizes of an input, by its spatial axes
LAYERS = 14  # of a network, about

NAMES = {
    "width": ["width", "w", "c", "n", "depth", "mid_width", "hidden", "wide", "growth"],
    "kernel": ["kernel", "k", "ks", "window"],
    "stride": ["stride", "s", "step"],
    "float": ["p", "drop", "rate", "slope"],
    "flag": ["norm", "flag", "affine_", "bias", "twice", "act_"],
    "list": ["widths", "dims_", "plan"],
    "size": ["extent", "area"],
    "value": ["skip", "other"],
    "pooled": ["pool"],
}
DOCS = (
    '"""What it does."""',
    '"A block of a random program, said at some length so that it has to be wrapped in the class that it becomes."',
)


class Generator(Joins):
    """Makes one program."""

    def parameters(self, names: set[str], network: bool, vector: bool) -> list[Parameter]:
        kinds = ["width", "width", "width", "float", "flag", "list"]
        if not vector:
            kinds += ["kernel", "stride", "size", *([] if network else ["value", "value", "pooled"])]
        found: list[Parameter] = []
        for _ in range(self.random.randint(1 if network else 0, 4)):
            kind = self.pick(kinds)
            is_value = kind in ("value", "pooled")
            free = [name for name in NAMES[kind] if name not in names]
            if not free or (is_value and any(p.kind in ("value", "pooled") for p in found)):
                continue
            name = self.pick(free)
            names.add(name)
            widths = [p.name for p in found if p.kind == "width"]
            with_default = network or (not is_value and self.one(0.5))
            found.append(Parameter(name, kind, self.default(kind, widths) if with_default else None))
        return sorted(found, key=lambda p: p.default is not None)

    def default(self, kind: str, widths: Sequence[str]) -> str:
        """The default of a parameter, which may depend on those before it."""
        forms = {
            "width": [
                str(self.random.randint(1, 8)),
                *(f"2 * {w}" for w in widths),
                *(f"{w} // 2 + 1" for w in widths),
            ],
            "kernel": ["1", "3", "3", "5"],
            "stride": ["1", "2"],
            "float": ["0.1", "0.25", "0.5"],
            "flag": ["true", "false", *(f"{w} > 3" for w in widths)],
            "list": ["[2, 4]", "[3, 5, 2]", "[4]", "[1, 2, 3]", *(f"[{w}, {w} + 1]" for w in widths)],
            "size": {1: ["3"], 2: ["1x3", "3x3"], 3: ["3x1x3"]}[self.rank],
        }
        return self.pick(forms[kind])

    def declared(self, parameters: Sequence[Parameter]) -> str:
        # A list has no kind of its own.
        words = {
            "width": "int",
            "kernel": "int",
            "stride": "int",
            "float": "float",
            "flag": "bool",
            "list": "any",
            "size": "any",
        }
        items = []
        for p in parameters:
            text = p.name
            if p.kind in ("value", "pooled"):
                text += ": value"
            elif self.one(0.5):
                text += f": {words[p.kind]}"
            items.append(text + (f" = {p.default}" if p.default is not None else ""))
        return f"({', '.join(items)})" if items else ""

    def opened(self, parameters: Sequence[Parameter]) -> Scope:
        """The scope of a block's or a network's body."""

        def of(kind: str) -> list[str]:
            return [p.name for p in parameters if p.kind == kind]

        return Scope(
            of("width"), [], of("kernel"), of("stride"), of("float"), of("flag"), of("list"), of("size"), [],
            {p.name for p in parameters} | {block.name for block in self.blocks}, [], [],
        )  # fmt: skip

    def block(self, name: str) -> str:
        vector = self.one(0.12)
        names = {name}
        parameters = self.parameters(names, False, vector)
        scope = self.opened(parameters)
        scope.keeps = self.one(0.5)
        value = Value(None, "?in", (), vector)
        self.left = self.random.randint(2, 7)
        for p in parameters:
            if p.kind == "value":
                scope.values.append(Value(p.name, f"{p.name}.channels", (), vector))
        lines: list[str] = []
        pooled = [p.name for p in parameters if p.kind == "pooled"]
        if pooled:
            lines.append(f"{self.same(scope, f'{pooled[0]}.channels')} -> max_unpool({pooled[0]})")
            value = Value(None, f"{pooled[0]}.channels", ("?unpooled",))
        before = len(scope.values)
        more, value = self.body(scope, value)
        lines += more
        outputs: list[str] = []
        trained: list[str] = []
        if scope.keeps and not pooled and self.one(0.25):
            text, value = self.chain(scope, value)
            outputs.append("first")
            lines.append(f"output first = {text}{self.hint()}")
            if self.one(0.5):
                outputs.append("second")
                lines.append(f"output second = in -> {self.chain(scope, Value(None, '?in', (), vector))[0]}")
            if len(outputs) == 1 or self.one(0.3):
                trained.append("aux")
                inside = scope.inner(quiet=True, own=False)
                lines.append(f"training {{ output aux = {self.chain(inside, replace(value, channels='?'))[0]} }}")
        lines += self.init(scope)
        if self.one(0.3):
            lines.insert(0, self.pick(DOCS))
        size: tuple[str, ...] | None = value.size
        if pooled or any("?" in part or part[0] in "st" for part in value.size):
            size = None
        channels = "in" if value.channels == "?in" else value.channels
        labels = scope.values[before:]
        block = Block(name, parameters, vector, size, channels, labels, outputs, trained)
        self.blocks.append(replace(block, pools=value.pooled is not None, named=scope.named))
        return f"block {name}{self.declared(parameters)}{self.signature(block)} {self.braces(lines)}\n"

    def signature(self, block: Block) -> str:
        """Sometimes the shapes of a block that keeps the size."""
        values = any(p.kind in ("value", "pooled") for p in block.parameters)
        if block.size != () or block.vector or values or block.outputs or block.trained or not self.one(0.15):
            return ""
        dims = ", ".join(["D0", "H0", "W0"][: self.rank])
        return f": [C0, {dims}] -> [_, {dims}]"

    def network(self, name: str) -> str:
        parameters = self.parameters({name}, True, False)
        scope = self.opened(parameters)
        symbols = {1: ["L"], 2: ["H", "W"], 3: ["D", "H", "W"]}[self.rank]
        lines: list[str] = []
        self.left = LAYERS
        inputs = self.random.choice([1, 1, 1, 2])
        value = Value(None, "", ())
        for i in range(inputs):
            label = ("image", "second")[i]
            dims = [f"{s}={self.random.randint(*TYPICAL[self.rank])}" if i == 0 else s for s in symbols]
            channels = self.pick([str(self.random.randint(1, 5)), *scope.ints])
            lines.append(f"input {label}: [{', '.join([channels, *dims])}]")
            scope.taken.add(label)
            value = self.keep(scope, label, Value(None, channels, ("in",)))
        if self.one(0.25):
            label = self.label(scope)
            width = self.width(replace(scope, vector=True))
            lines.append(f"shared {label} = {self.same(scope, width)} -> {self.plain(scope, value)}{self.hint()}")
            scope.shared.append((str(label), value, Value(None, width, ())))
            scope.shared.append((str(label), Value(None, value.channels, ()), Value(None, width, ())))
            lines.append(f"{value.name} -> {label}")
            scope.taken.add(str(label))
            value = Value(None, width, ("in",))
        for _ in range(self.random.randint(2, 6)):
            more, value = self.statement(scope, value)
            lines += more
            if self.left <= 0:
                break
        if self.one(0.3):
            text = self.pick(
                ["global_avgpool -> flatten", "global_maxpool -> flatten", "adaptive_avgpool(2) -> flatten"]
            )
            vector = Value(None, self.fresh(), (), True)
            more, vector = self.body(scope.inner(values=[]), vector)
            lines += [text, *more]
            value = vector
        trained = self.one(0.25) or bool(scope.trained)
        if trained or self.one(0.3):
            names = [n for n in ("scores", "boxes", "logits", "y", "x") if n not in scope.taken]
            main, side = names[0], names[1]
            lines.append(f"output {main} = {self.chain(scope, value)[0]}{self.hint()}")
            maps = [v for v in scope.values if not v.vector]
            if maps and self.one(0.6):
                start = self.pick(maps)
                lines.append(f"output {names[2]} = {start.name} -> {self.chain(scope, start)[0]}")
            if trained:
                lines.insert(len(lines) - self.random.randint(0, 1), self.training(scope, side, maps))
        lines += self.init(scope)
        return f"network {name}{self.declared(parameters)} {self.braces(lines)}\n"

    def training(self, scope: Scope, name: str, maps: Sequence[Value]) -> str:
        """A section that gives an output, of what a block has for training or of any value."""
        inside = scope.inner(quiet=True, own=False, vector=True)  # what `in` is is not known here
        lines: list[str] = []
        if scope.trained and self.one(0.7):
            lines.append(f"output {name} = {self.pick(scope.trained)} -> relu")
        else:
            start = self.pick(maps)
            if self.one(0.4):
                more, value = self.body(inside, replace(start, name=None, channels=self.fresh()))
                lines += [f"{start.name} -> identity", *more]
                lines.append(f"output {name} = {self.chain(inside, value)[0]}{self.hint()}")
            else:
                lines.append(f"output {name} = {start.name} -> {self.chain(inside, start)[0]}{self.hint()}")
        return f"training {self.braces(lines)}"

    def program(self) -> dict[str, str]:
        """The files of a program by name."""
        imported: list[str] = []
        texts: list[str] = []
        for i in range(self.random.randint(0, 4)):
            name = self.pick(["unit", "bottleneck", "Up", "mix", "enc"]) + str(i)
            texts.append(self.block(name))
        library = self.random.randint(1, len(texts)) if texts and self.one(0.2) else 0
        network = self.network("Net")
        files = {}
        if library:
            files[LIBRARY] = "\n".join(texts[:library])
            imported = [f'from "{LIBRARY}" import {", ".join(block.name for block in self.blocks[:library])}\n']
        files[MAIN] = "\n".join([*imported, *texts[library:], network])
        return files


def program(seed: int) -> dict[str, str]:
    """The files of the program with that number."""
    return Generator(seed).program()
