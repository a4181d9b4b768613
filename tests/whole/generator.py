"""Random specs in the whole language.

A spec is sound by construction as far as that is easy: each value carries what is known of its channels and size, in
words of the spec, and only what is known to agree is joined. What the checker refuses nevertheless is passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from whole.forms import IDS
from whole.joins import Joins
from whole.knowledge import Block, Parameter, Scope, Value

MAIN, LIBRARY = "main.arch", "library.arch"
TYPICAL = {1: (7, 14), 2: (6, 10), 3: (4, 6)}  # sizes of an input, by its spatial axes
LAYERS = 14  # of a network, about

INPUTS = ("image", "second", "ids", "code")
SMALLEST = ("", ", smallest=true", ", smallest=false")

NAMES = {
    "width": ["width", "w", "c", "n", "depth", "mid_width", "hidden", "wide", "growth"],
    "kernel": ["kernel", "k", "ks", "window"],
    "stride": ["stride", "s", "step"],
    "float": ["p", "drop", "rate", "slope"],
    "flag": ["norm", "flag", "affine_", "bias", "twice", "act_"],
    "list": ["widths", "dims_", "plan"],
    "size": ["extent", "area"],
    "text": ["mode", "border"],
    "optional": ["apart", "every"],
    "value": ["skip", "other"],
    "pooled": ["pool"],
}
# Blocks that come with archdsl: its file, name, parameters, what it does to the size, and its channels.
ZOO = (
    ("resnet", "basic", [Parameter("width", "width", None), Parameter("stride", "stride", "1")], None, "width"),
    ("densenet", "dense_layer", [Parameter("growth", "width", None), Parameter("bottleneck", "stride", "4")], (), "?"),
    ("", "padded_convs", [Parameter("width", "width", None)], (), "width"),
)
DOCS = (
    '"""What it does."""',
    '"A block of a random program, said at some length so that it has to be wrapped in the class that it becomes."',
)


class Generator(Joins):
    """Makes one program."""

    other = "Other_"  # a second network, to compare with

    def parameters(self, names: set[str], network: bool, vector: bool) -> list[Parameter]:
        kinds = ["width", "width", "width", "float", "flag", "list"]
        if not vector:
            kinds += [
                "kernel",
                "stride",
                "size",
                "text",
                "optional",
                *([] if network else ["value", "value", "pooled"]),
            ]
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
            "text": ['"zeros"', '"replicate"'],
            "optional": ["none", "none", "1", "2"],
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
            "text": "any",
            "optional": "any",
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
            texts=of("text"), optional=of("optional"),
        )  # fmt: skip

    def block(self, name: str) -> str:
        vector = self.one(0.12)
        names = {name}
        parameters = self.parameters(names, False, vector)
        scope = self.opened(parameters)
        pooled = [p.name for p in parameters if p.kind == "pooled"]
        signed = not vector and not pooled and self.one(0.15)
        scope.keeps = signed or self.one(0.5)
        scope.ints += ["C0"] * signed
        value = Value(None, "?in", (), vector)
        self.left = self.random.randint(2, 7)
        for p in parameters:
            if p.kind == "value":
                scope.values.append(Value(p.name, f"{p.name}.channels", (), vector))
        lines: list[str] = []
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
            if not signed and (len(outputs) == 1 or self.one(0.3)):
                trained.append("aux")
                inside = scope.inner(quiet=True, own=False)
                lines.append(
                    f"training {{ output aux = {self.chain(inside, replace(value, channels='?'))[0]} }}{self.hint()}"
                )
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
        return (
            f"block {name}{self.declared(parameters)}{self.signature(block) if signed else ''} {self.braces(lines)}\n"
        )

    def signature(self, block: Block) -> str:
        """The shapes of a block that keeps the size; those of its values have other channels."""
        dims = ", ".join(["D0", "H0", "W0"][: self.rank])
        values = [f"[_, {dims}]" for p in block.parameters if p.kind == "value"]
        outputs = [f"[_, {dims}]" for _ in block.outputs or [""]]
        return f": {', '.join([f'[C0, {dims}]', *values])} -> {', '.join(outputs)}"

    def promised(self, sizes: Sequence[tuple[str, int]], parameters: Sequence[Parameter]) -> str:
        """Sizes that are promised: those that are typical, said in one way or another."""
        if not self.one(0.2):
            return ""
        parts = []
        for name, size in sizes:
            forms = [f"{name} == {size}", f"not ({name} != {size})", f"{name} >= {size} and {name} <= {size}"]
            forms += [f"{name} // {size} == 1 and {name} % {size} == 0", f"{name} > {size - 1} and {name} < {size + 1}"]
            forms += [f"({name} == {size} or {name} == {size})", f"{size} <= {name} <= {size} and true"]
            forms += [f"{name} + {p.name} == {size} + {p.name}" for p in parameters if p.kind == "width"]
            parts.append(self.pick(forms))
        return f" where {' and '.join(parts)}"

    def inputs(self, scope: Scope, parameters: Sequence[Parameter]) -> tuple[list[str], Value]:
        """The inputs of a network, of which the last one is the current value."""
        symbols = {1: ["L"], 2: ["H", "W"], 3: ["D", "H", "W"]}[self.rank]
        if self.rank == 2 and self.one(0.1):
            symbols = ["H", "H"]
        sizes = {symbol: self.random.randint(*TYPICAL[self.rank]) for symbol in symbols}
        dims = [symbol if symbol in symbols[:i] else f"{symbol}={sizes[symbol]}" for i, symbol in enumerate(symbols)]
        lines: list[str] = []
        value = Value(None, "", ())
        start: list[str] = []
        if self.one(0.08):
            lines.append(f"input ids: [{', '.join(dims)}]{self.hint(0.15)}")
            dims, n = symbols, self.random.randint(1, 4)
            forms = ["", ", padding_idx=0", ", padding_idx=none"]
            forms += [] if self.hints else [", max_norm=2.0"]  # it asks for numbers, which fake devices do not have
            given = self.pick(forms)
            embedded = f"embedding({self.random.randint(IDS, IDS + 5)}, {n}{given})"
            start.append(f"words = ids -> {embedded} -> permute({[self.rank, *range(self.rank)]})")
            self.keep(scope, "words", Value(None, str(n), ("in",)))
        if self.one(0.08):
            lines.append(f"input code: [{self.random.randint(1, 5)}]{self.hint(0.15)}")
            self.keep(scope, "code", Value(None, "code.features", (), True))
        labels = ["image", *(["second"] if self.one(0.25) else [])]
        for label in labels:
            channels = self.pick([str(self.random.randint(1, 5)), *scope.ints])
            promised = self.promised(list(sizes.items()), parameters) if label == labels[-1] else ""
            lines.append(f"input {label}: [{', '.join([channels, *dims])}]{promised}{self.hint(0.15)}")
            dims = symbols
            value = self.keep(scope, label, Value(None, channels, ("in",)))
        scope.taken |= {"ids", "code", "words", *labels}
        if start and self.one(0.5):
            value = next(v for v in scope.values if v.name == "words")
            return [*lines, *start], value
        return [*lines, *start, f"{value.name} -> identity"] if start else lines, value

    def network(self, name: str) -> str:
        parameters = self.parameters({name}, True, False)
        scope = self.opened(parameters)
        self.left = LAYERS
        lines, value = self.inputs(scope, parameters)
        if self.one(0.25):
            lines += (found := self.shared(scope, value) or ([], value))[0]
            value = found[1]
        for _ in range(self.random.randint(2, 6)):
            more, value = self.statement(scope, value)
            lines += more
            if self.left <= 0:
                break
        if self.one(0.35):
            vector = Value(None, self.fresh(), (), True)
            inside = scope.inner(values=[v for v in scope.values if v.vector])
            more, vector = self.body(inside, vector)
            lines += [self.pick(self.ends()), *more]
            value = vector
        trained = self.one(0.25) or bool(scope.trained)
        if trained or self.one(0.3):
            names = [n for n in ("scores", "boxes", "logits", "y", "x") if n not in scope.taken]
            main, side = names[0], names[1]
            pattern = f": [{', '.join('_' * (1 if value.vector else self.rank + 1))}]" if self.one(0.2) else ""
            lines.append(f"output {main}{pattern} = {self.chain(scope, value)[0]}{self.hint()}")
            maps = [v for v in scope.values if not v.vector]
            bare = [v for v in maps if v.name and v.name.isidentifier() and v.name not in INPUTS]
            if bare and self.one(0.3):
                lines.append(f"output {self.pick(bare).name}")
            if maps and self.one(0.6):
                start = self.pick(maps)
                lines.append(f"output {names[2]} = {start.name} -> {self.chain(scope, start)[0]}")
            if trained:
                lines.insert(len(lines) - self.random.randint(0, 1), self.training(scope, side, maps, value.vector))
        lines += self.init(scope)
        if self.one(0.3):
            lines += self.claims(scope)
        if self.one(0.1):
            lines.insert(0, self.pick(DOCS))
        return f"network {name}{self.declared(parameters)} {self.braces(lines)}\n"

    def training(self, scope: Scope, name: str, maps: Sequence[Value], vector: bool) -> str:
        """A section that gives an output, of what a block has for training or of any value. It stands where a vector
        flows, or a map."""
        inside = scope.inner(quiet=True, own=False, vector=True)  # what `in` is is not known here
        lines: list[str] = []
        if scope.trained and self.one(0.7):
            lines.append(f"output {name} = {self.pick(scope.trained)} -> relu")
        else:
            start = self.pick(maps)
            if not vector and self.one(0.5):
                more, value = self.body(inside, replace(start, name=None, channels=self.fresh()))
                lines += [f"{start.name} -> identity", *more]
                lines.append(f"output {name} = {self.chain(inside, value)[0]}{self.hint()}")
            else:
                lines.append(f"output {name} = {start.name} -> {self.chain(inside, start)[0]}{self.hint()}")
        return f"training {self.braces(lines)}{self.hint(0.1)}"

    def claims(self, scope: Scope) -> list[str]:
        """Claims that hold whatever the network is."""
        lines: list[str] = []
        images = not {"words", "code"} & {v.name for v in scope.values}
        at = f" at {'x'.join(['8'] * self.rank)}" if images and self.rank > 1 and self.one(0.4) else ""
        for _ in range(self.random.randint(1, 3)):
            metric = self.pick(["params", "params(training=true)", "buffers", "macs", "flops", "memory"])
            forms = [f"{metric} >= 0", f"0 <= {metric}{at}", f"2 * macs == flops{at}", f"{metric} != -1"]
            forms += ["shape == shape", f"{metric} + 1 > {metric} - 1", f"{metric} // 2 * 2 <= {metric}"]
            forms += [f"params > 0 * {self.other}(n=3).params - 1"]
            forms += [f"receptive_field(image{self.pick(SMALLEST)}) == 1"] * images
            forms += [f"params({path}) > 0" for path, _ in scope.named]
            forms += [f"shape({v.name}) == shape({v.name})" for v in scope.values if v.name and v.name.isidentifier()]
            lines.append(f"expect {self.pick(forms)}")
        return lines

    def program(self) -> dict[str, str]:
        """The files of a program by name."""
        imported: list[str] = []
        texts: list[str] = []
        if self.rank == 2 and self.one(0.1):
            file, name, parameters, size, channels = self.pick(ZOO)
            called = self.pick([name, "borrowed"])
            self.blocks.append(Block(called, parameters, False, size, channels, [], [], []))
            said = name if called == name else f"{name} as {called}"
            imported.append(f"from zoo{'.' * bool(file)}{file} import {said}\n")
        count = self.random.randint(0, 4)
        library = self.random.randint(1, count) if count and self.one(0.2) else 0
        borrowed, self.blocks = self.blocks, []
        for i in range(count):
            if i == library:
                if library:
                    imported.append(self.imported())
                self.blocks += borrowed
            texts.append(self.block(self.pick(["unit", "bottleneck", "Up", "mix", "enc"]) + str(i)))
        if library == count:
            imported += [self.imported()] if library else []
            self.blocks += borrowed
        files = {}
        if library:
            files[LIBRARY] = "\n".join(texts[:library])
        network = self.network("Net")
        files[MAIN] = "\n".join([*imported, *texts[library:], network])
        if self.other in network:
            files[MAIN] += f"# To compare with.\nnetwork {self.other}(n=2) {{ input y: [n, L]; conv(n, 1) }}\n"
        return files

    def imported(self) -> str:
        """The import of the blocks so far, some of them under another name."""
        names = []
        for i, block in enumerate(self.blocks):
            if self.one(0.3):
                self.blocks[i] = replace(block, name=f"my_{block.name}")
                names.append(f"{block.name} as my_{block.name}")
            else:
                names.append(block.name)
        return f'from "{LIBRARY}" import {", ".join(names)}\n'


def program(seed: int) -> dict[str, str]:
    """The files of the program with that number."""
    return Generator(seed).program()
