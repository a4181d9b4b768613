"""Random statements, and bodies of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from whole.knowledge import Scope, Value
from whole.steps import Steps

# Among them names that Python, PyTorch or the emitter use for something.
WORDS = """
    Block Body Layer NetOutput Sequence Tensor_ act block1 bn bn1 body branch channels_ conv conv2 conv_2 decoder device
    down encoder feature forward_ head in_channels in_height input_ key layer layer1 layers left linear math_ merge_ mid
    net out outputs part0 result1 right self_ size_ stage stage1 stem tail tower u up v v1 v2 v3 value w_ x x2 x_ y z
"""
LABELS = WORDS.split()


class Statements(Steps, ABC):
    """Each method gives the lines of a statement, and the value that flows on."""

    @abstractmethod
    def statement(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        """Any statement, those with bodies included."""

    def label(self, scope: Scope, layers: bool = False) -> str | None:
        """A label that is still free, as it is written and as it is asked for; perhaps the name of a layer."""
        if scope.index is None:
            return None
        for _ in range(20):
            name = self.pick(LABELS) if self.one(0.8) else f"n{self.random.randint(1, 99)}"
            if scope.index:
                name = name.rstrip("0123456789")
            taken = {*scope.taken, "block", *scope.counters, *scope.ints, *(() if layers else ("conv", "linear"))}
            if name and name not in taken and not any(f"{name}{i}" in taken for i in "0123456789"):
                scope.taken.add(name)
                return name + "".join(f"[{i}]" for i in scope.index)
        return None

    def hint(self, chance: float = 0.25) -> str:
        return f" on gpu({self.random.randint(0, 1)})" if self.hints and self.one(chance) else ""

    def chain(self, scope: Scope, value: Value, least: int = 1) -> tuple[str, Value]:
        steps: list[str] = []
        for _ in range(self.random.randint(least, 3)):
            text, value = self.step(scope, value)
            steps.append(text)
        if self.one(0.06):
            inner = [f"{self.plain(scope, value)}{self.hint()}" for _ in range(2)]
            steps.append(self.pick([f"repeat 2 {{ {inner[0]} }}", f"{{ {'; '.join(inner)} }}"]))
            value = replace(value, name=None, pooled=None)
        return " -> ".join(steps), value

    def body(self, scope: Scope, value: Value, want: Value | None = None, least: int = 1) -> tuple[list[str], Value]:
        """Statements. With `want`, the last one gives its channels, which `in` has too."""
        lines: list[str] = []
        scope.vector = value.vector
        for _ in range(self.random.randint(least, 3)):
            if self.left <= 0 and len(lines) >= least:
                break
            more, value = self.statement(scope, value)
            lines += more
        if want is not None and value.channels != want.channels:
            text = self.wanted(scope, want, "in")
            lines.append(text)
            value = replace(value, name=None, channels=want.channels, pooled=None)
        return lines, value

    def braces(self, lines: Sequence[str]) -> str:
        return "{\n" + "\n".join("  " + part for line in lines for part in line.split("\n")) + "\n}"

    def simple_chain(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        text, value = self.chain(scope, value)
        return [text + self.hint()], value

    def applied(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A block by itself, with or without a label."""
        usable = [
            b for b in self.blocks if b.vector == value.vector and not b.outputs and (b.size == () or not scope.keeps)
        ]
        if not usable:
            return None
        block = self.pick(usable)
        found = self.call(scope, value, block)
        if found is None:
            return None
        self.left -= 1
        text, out = found
        label = self.label(scope) if self.one(0.5) else None
        if label is None:
            return [text + self.hint()], out
        if not scope.quiet:
            for inner in block.labels:
                if inner.name and "[" not in inner.name and self.one(0.5):
                    size = (
                        (*value.size, *inner.size)
                        if not any(part[0] in "?st=" for part in inner.size)
                        else (self.fresh(),)
                    )
                    scope.values.append(Value(f"{label}.{inner.name}", self.fresh(), size, inner.vector))
        return [f"{label} = {text}{self.hint()}"], self.keep(scope, label, out)

    def keep(self, scope: Scope, label: str, value: Value) -> Value:
        """The value under its label, which may be asked for from here on."""
        value = replace(value, name=label)
        scope.values.append(value)
        return value

    def labelled(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        label = self.label(scope, layers=scope.index == [])
        if label is None:
            return None
        outer, scope = scope, replace(scope, own=False)
        if self.one(0.5):
            text, value = self.step(scope, value)
        else:
            text, value = self.chain(scope, value)
        pattern = ""
        if self.one(0.15) and not value.vector:
            bound = "_"
            if outer.index == []:
                bound = f"C{self.random.randint(1, 999)}"
                outer.ints.append(bound)
            pattern = f": [{', '.join([bound, *['_'] * self.rank])}]"
        line = f"{label}{pattern} = {text}{self.hint()}"
        if not scope.quiet and not scope.index:
            self.name(scope, label, text)
        return [line], value if label in ("conv", "linear") else self.keep(outer, label, value)

    def name(self, scope: Scope, label: str, chain: str) -> None:
        """Notes a label that `init` may select: of one layer, or of the first of several."""
        first, *more = chain.split(" -> ")
        if first.startswith(("conv(", "linear(")):
            path = f"{label}.0" if more else label
            scope.named.append((path, "weight"))
            if "bias=" not in first:
                scope.named.append((path, "bias"))

    def grouped(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A labelled group, whose labels are reached by a dot."""
        label = self.label(scope)
        if label is None:
            return None
        inside = scope.module()
        if not self.one(0.5):
            inside.values = []
        before = len(inside.values)
        lines, out = self.body(inside, value)
        lines += self.init(inside)
        if self.one(0.1):
            lines.insert(0, '"A part of a random program."')
        found = [v for v in inside.values[before:] if v.name]
        if not scope.index:
            scope.named += [(f"{label}.{path}", parameter) for path, parameter in inside.named]
        if not scope.quiet:
            scope.values += [replace(v, name=f"{label}.{v.name}") for v in found if self.one(0.6)]
        return [f"{label} = {self.braces(lines)}{self.hint()}"], self.keep(scope, label, replace(out, name=None))

    def bracketed(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        inside = scope.inner()
        lines, value = self.body(inside, value)
        return [self.braces(lines) + self.hint()], replace(value, name=None)

    def restarted(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A chain from a named value."""
        found = [v for v in scope.values if v.vector == value.vector and (not scope.keeps or v.size == value.size)]
        if not found:
            return None
        start = self.pick(found)
        label = self.label(scope) if self.one(0.5) else None
        text, out = self.chain(replace(scope, own=scope.own and label is None), start)
        line = f"{start.name} -> {text}{self.hint()}"
        if label is None:
            return [line], out
        return [f"{label} = {line}"], self.keep(scope, label, out)

    def joined_values(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """`add(a, b)`, `concat(a, b)`, `mul(a, b)`."""
        first = self.pick(scope.values)
        if first.vector != value.vector or (scope.keeps and first.size != value.size):
            return None
        fitting = [v for v in scope.values if v.vector == first.vector and v.size == first.size]
        kind = self.pick(["concat", "add", "mul"])
        if kind != "concat":
            fitting = [v for v in fitting if v.channels == first.channels]
        chosen = [first, *(self.pick(fitting) for _ in range(self.random.randint(1, 2)))]
        channels = self.fresh() if kind == "concat" else first.channels
        text = f"{kind}({', '.join(str(v.name) for v in chosen)})"
        out = Value(None, channels, first.size, first.vector)
        label = self.label(scope) if self.one(0.4) else None
        if self.one(0.5):
            more, out = self.chain(replace(scope, own=scope.own and label is None), out)
            text += f" -> {more}"
        if label is not None:
            return [f"{label} = {text}{self.hint()}"], self.keep(scope, label, out)
        return [text + self.hint()], out

    def fitted(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """Something that takes another value's size."""
        if scope.keeps or value.vector:
            return None
        found = [v for v in scope.values if not v.vector]
        if not found:
            return None
        other = self.pick(found)
        mode = self.pick(["nearest", "nearest-exact", "area", ("linear", "bilinear", "trilinear")[self.rank - 1]])
        forms = [f'upsample(to={other.name}, mode="{mode}")', f"upsample(to={other.name})"]
        if value.size == other.size:
            forms += [f"crop(to={other.name})", f"pad(to={other.name})"]
        if value.size == (*other.size, "+2"):
            forms += [f"crop(to={other.name})", f"crop(to={other.name}, offset=1)"] * 3
        text = self.pick(forms)
        out = replace(value, name=None, size=other.size, pooled=None)
        if self.one(0.4) and other.channels == out.channels:
            return [self.pick([f"{text}", f"add {{ {text}; {other.name} }}"])], out
        return [text], out

    def unpooled(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        if scope.keeps or value.vector:
            return None
        pools = [v for v in scope.values if v.pooled is not None and v.size == value.size]
        if not pools:
            return None
        pool = self.pick(pools)
        assert pool.pooled is not None
        text = f"max_unpool({pool.name})"
        if pool.channels != value.channels:
            text = f"{self.wanted(scope, replace(pool, channels='?'), str(pool.name))} -> {text}"
        return [text + self.hint()], Value(None, pool.channels, pool.pooled)

    def constant(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        free = [name for name in ("a1", "b1", "half", "total", "wider") if name not in scope.taken]
        if not free or scope.index != []:
            return None
        name = self.pick(free)
        scope.taken.add(name)
        kinds: list[tuple[list[str], str]] = [(scope.ints, self.number(scope))] * 3
        kinds += [(scope.floats, self.fraction(scope)), (scope.flags, self.condition(scope))]
        kinds += [(scope.lists, self.listed(scope)), (scope.texts, '"replicate"'), (scope.optional, "none")]
        names, said = self.pick(kinds)
        lines = [f"let {name} = {said}"]
        names.append(name)
        text, value = self.chain(scope, value)
        return [*lines, text], value

    def parts(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """`a, b = split(2)` and the like."""
        if scope.index is None or scope.index:
            return None
        left, right = self.label(scope), self.label(scope)
        if left is None or right is None:
            return None
        n = self.width(scope)
        before = f"linear(2 * ({n}))" if value.vector else self.same(scope, f"2 * ({n})")
        lines = [before, f"{left}, {right} = {self.pick(['split(2)', 'chunk(2)'])}"]
        out = replace(value, name=None, channels=self.token(f"2 * ({n}) // 2"), pooled=None)
        a, b = self.keep(scope, left, out), self.keep(scope, right, out)
        text = self.pick(
            [f"add({left}, {right})", f"concat({right}, {left})", f"mul({left}, {right})", f"{right} -> relu"]
        )
        lines.append(text)
        return lines, replace(out, channels=self.fresh() if text.startswith("concat") else a.channels, size=b.size)

    def picked(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """Several values under one label, asked for by their positions or their names."""
        label = self.label(scope) if scope.index == [] else None
        if label is None:
            return None
        n = self.width(scope)
        before = f"linear(2 * ({n}))" if value.vector else self.same(scope, f"2 * ({n})")
        axis = self.pick(["", ", axis=0"])
        texts = {
            f"split(2{axis})": ("[0]", "[1]"),
            f"split(parts=[{n}, {n}]{axis})": ("[1]", "[0]"),
            f"chunk(2{axis})": ("[0]", "[1]"),
            f"chunk(chunks=2{axis})": ("[0]", "[1]"),
            f"parallel {{\n  one = {self.plain(scope, value)}\n  {self.plain(scope, value)}\n}}": (".one", "[1]"),
        }
        text = self.pick(list(texts))
        parts = [f"{label}{each}" for each in texts[text]]
        lines = [before, f"{label} = {text}", self.pick([f"add({', '.join(parts)})", f"{parts[0]} -> relu"])]
        return lines, replace(value, name=None, channels=self.fresh(), pooled=None)

    def paired(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A form of two vectors."""
        label = self.label(scope) if value.vector and scope.index == [] else None
        if label is None:
            return None
        w, t = self.width(scope), self.truth(scope)
        text = self.pick([f"bilinear({w}, {label})", f"bilinear(features={w}, other={label}, bias={t})"])
        lines = [f"{label} = linear({self.width(scope)})", f"{self.plain(scope, value)} -> {text}{self.hint()}"]
        return lines, replace(value, name=None, channels=self.token(w))

    def training_only(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A section without an output, which leaves what flows as it was."""
        if not scope.own or scope.depth or scope.quiet:
            return None
        return [f"training {{ {self.plain(scope, value)}{self.hint()} }}{self.hint()}"], value

    def shared(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A module that is declared, applied at once and perhaps again."""
        label = self.label(scope) if scope.own and not scope.depth and not value.vector and not scope.quiet else None
        if label is None or scope.shared:
            return None
        width = self.width(replace(scope, vector=True))
        lines = [f"shared {label} = {self.same(scope, width)} -> {self.plain(scope, value)}{self.hint()}"]
        lines.append(f"{value.name} -> {label}" if value.name else label)
        made = Value(None, width, ())
        scope.shared += [(label, value, made), (label, Value(None, value.channels, ()), made)]
        return lines, replace(value, name=None, channels=self.token(width), pooled=None)

    def sliced(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        n = self.number(scope, 1)
        m = self.random.randint(1, 3)
        first = f"({n}) + {m}"
        before = f"linear({first})" if value.vector else self.same(scope, first)
        stop = self.pick([f"slice({m}, {m} + ({n}))", f"slice(0, {n})", f"slice({m})"])
        return [f"{before} -> {stop}"], replace(value, name=None, channels=self.token(n), pooled=None)

    def several(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A block with several outputs, of which one goes on."""
        usable = [b for b in self.blocks if b.outputs and b.vector == value.vector and b.size == ()]
        label = self.label(scope)
        if not usable or label is None:
            return None
        block = self.pick(usable)
        found = self.call(scope, value, block)
        if found is None:
            return None
        text, out = found
        lines = [f"{label} = {text}{self.hint()}"]
        values = [replace(out, name=f"{label}.{name}", channels=self.fresh()) for name in block.outputs]
        scope.values += values
        if not scope.quiet and not scope.index:
            scope.trained += [f"{label}.{name}" for name in block.trained]
        first = self.pick(values)
        more, out = self.chain(scope, first)
        return [*lines, f"{first.name} -> {more}"], out
