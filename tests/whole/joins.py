"""Random joins, skips, loops and cases, and `init`; and any statement at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from whole.knowledge import Scope, Value
from whole.statements import Statements

FAN = ("", "a=0.1", 'mode="fan_out"', 'nonlinearity="relu"')  # arguments of the kaiming initialisers
GAIN = ("orthogonal", "xavier_normal", "xavier_uniform")  # those that take one


class Joins(Statements):
    """Each method gives the lines of a statement, and the value that flows on."""

    def statement(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        kinds: list[Callable[[Scope, Value], tuple[list[str], Value] | None]] = [self.simple_chain] * 4
        kinds += [self.labelled] * 3
        if scope.depth < 3 and self.left > 1:
            kinds += [
                self.join,
                self.join,
                self.skip,
                self.skip,
                self.grouped,
                self.grouped,
                self.looped,
                self.repeated,
            ]
            kinds += [self.case, self.parallel, self.bracketed]
        if scope.values:
            kinds += [self.joined_values, self.restarted, self.fitted, self.unpooled]
        kinds += [self.constant, self.parts, self.picked, self.sliced, self.several, self.training_only]
        kinds += [self.paired] * 3 if value.vector else [self.shared, self.interpolated] * (scope.depth == 0)
        kinds += [self.applied] * (6 if scope.depth == 0 else 2) if self.blocks else []
        for _ in range(20):
            found = self.pick(kinds)(scope, value)
            if found is not None:
                return found
        return self.simple_chain(scope, value)

    def parallel(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        if scope.index is None or scope.index:
            return None
        left, right = self.label(scope), self.label(scope)
        if left is None or right is None:
            return None
        branches, values = [], []
        for _ in range(2):
            text, out = self.branch(scope.inner(keeps=True), value)
            branches.append(text)
            values.append(replace(out, name=None))
        lines = [f"{left}, {right} = parallel {self.braces(branches)}"]
        a, b = (self.keep(scope, name, v) for name, v in zip((left, right), values, strict=True))
        lines.append(f"concat({left}, {right})")
        return lines, Value(None, self.fresh(), a.size, b.vector)

    def branch(self, scope: Scope, value: Value, want: Value | None = None) -> tuple[str, Value]:
        """A branch of a join; with `want` its channels are those of what it starts from."""
        if want is None and self.one(0.15) and scope.index == [] and not scope.quiet:
            found = [v for v in scope.values if v.vector == value.vector and v.size == value.size]
            if found:
                chosen = self.pick(found)
                return str(chosen.name), chosen
        if self.one(0.08):
            return self.pick(["identity", "in"]), value
        if self.one(0.6):
            label = self.label(scope) if self.one(0.3) else None
            text, out = self.chain(replace(scope, own=scope.own and label is None), value)
            if want is not None and out.channels != want.channels:
                text += f" -> {self.wanted(scope, want, 'in')}"
                out = replace(out, channels=want.channels)
            return f"{label} = {text}{self.hint()}" if label else text + self.hint(), out
        if self.one(0.4):
            label = self.label(scope)
            if label is not None:
                lines, out = self.body(scope.module(), value, want)
                return f"{label} = {self.braces(lines)}{self.hint()}", out
        lines, out = self.body(scope.inner(), value, want)
        return self.braces(lines) + self.hint(), out

    def join(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        kind = self.pick(["concat", "concat", "add", "mul"])
        along = kind == "concat" and not (scope.keeps or value.vector) and self.one(0.15)
        want = None if kind == "concat" and not along else value
        label = self.label(scope) if self.one(0.4) else None
        inside = scope.module() if label is not None else scope.inner()
        inside.keeps, inside.vector = True, value.vector
        before = len(inside.values)
        branches = [self.branch(inside.inner(), value, want)[0] for _ in range(self.random.randint(2, 3))]
        if self.one(0.15) and want is None and label is not None:
            inside.index = [*(inside.index or []), "g"]
            text, _ = self.branch(inside.inner(), value)
            branches.append(f"for g in 0..1 {self.braces([text])}")
        inside.values = inside.values[:before]
        if kind == "mul" and not value.vector and self.one(0.2):
            branches.append("global_avgpool -> conv(in.channels, 1)")
        axis = "(axis=1)" if along else "(axis=0)" if kind == "concat" and self.one(0.1) else ""
        size = (self.fresh(),) if along else value.size
        out = Value(None, self.fresh() if want is None else value.channels, size, value.vector)
        text = f"{kind}{axis} {self.braces(branches)}"
        if label is not None:
            return [f"{label} = {text}{self.hint()}"], self.keep(scope, label, out)
        return [text + self.hint()], out

    def skip(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        kind = self.pick(["residual", "residual", "residual", "dense", "gate"])
        label = self.label(scope) if self.one(0.35) else None
        outer = scope.module() if label is not None else scope
        inside = outer.inner(keeps=True)
        tail = ""
        if kind == "dense":
            kind = self.pick(["dense", "dense(axis=0)"])
            lines, out = self.body(inside, value)
            out = Value(None, self.fresh(), value.size, value.vector)
        elif kind == "gate" and not value.vector and self.one(0.5):
            lines = [
                "global_avgpool",
                self.same(replace(inside, kernels=[], sizes=[], strides=[]), self.width(scope)),
                "relu",
            ]
            lines = ["global_avgpool", f"conv({self.width(scope)}, 1) -> relu -> conv(in.channels, 1) -> sigmoid"]
            out = replace(value, name=None, pooled=None)
        elif self.one(0.5):
            lines, out = self.body(inside, value, value)
        else:
            lines, out = self.body(inside, value)
            out = replace(out, name=None)
            if out.channels != value.channels:
                if not self.sayable(outer, out.channels):
                    out = replace(out, channels=(channels := self.number(replace(outer, vector=True))))
                    lines.append(f"linear({channels})" if out.vector else self.same(outer, channels))
                tail = self.tail(outer, value, out)
        out = replace(out, name=None, pooled=None)
        text = f"{kind} {self.braces(lines)}{tail}"
        if label is not None:
            return [f"{label} = {text}{self.hint()}"], self.keep(scope, label, out)
        return [text], out

    def tail(self, scope: Scope, source: Value, out: Value) -> str:
        """What takes the other side of a skip to the channels of its body."""
        unknown = not self.sayable(scope, out.channels)
        if not source.vector and not scope.projects[0] and scope.index == [] and (unknown or self.one(0.3)):
            scope.projects[0] = True
            scope.taken.add("project")
            return " project"
        layer = f"linear({out.channels})" if source.vector else f"conv({out.channels}, 1)"
        word = self.pick(["project", "project", "shortcut"])
        label = self.label(scope) if self.one(0.6) else None
        more = self.pick(["", " -> batchnorm"])
        head = f" {word} {label} = " if label else f" {word} "
        return f"{head}{layer}{more}" if word == "project" or label else f" {word} {{ {layer}{more} }}"

    def looped(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        """A `for`; within it, labels have its index."""
        inside = scope.inner(keeps=scope.keeps or self.one(0.7))
        variable = self.pick([v for v in ("i", "j", "t") if v not in (scope.index or []) and v not in scope.counters])
        form = self.pick(["range", "range", "dots", "list", "enumerate", "zip"])
        lists = [name for name in scope.lists if name != "plan"]
        last: str | None = None
        if form == "range":
            n = self.random.randint(1, 3)
            head, last = f"for {variable} in range({n})", str(n - 1)
            if scope.ints and self.one(0.3):
                head, last = f"for {variable} in range({self.pick(scope.ints)} % 3 + 1)", None
        elif form == "dots":
            n = self.random.randint(1, 3)
            head, last = f"for {variable} in 1..{n}", str(n)
            if lists and self.one(0.5):
                head, last = f"for {variable} in 0..len({lists[0]}) - 1", None
        elif form == "list":
            head = f"for {variable} in {self.pick(['[2, 3]', '[1, 4, 2]', '[3, 5]'])}"
        elif form == "enumerate":
            start = self.pick(["", "", ", 1"])
            head = f"for {variable}, {variable}w in enumerate({self.pick([*lists * 2, '[2, 3]', '[4, 2, 4]'])}{start})"
            inside.ints.append(f"{variable}w")
        else:
            head = f"for {variable}, {variable}w in zip([0, 1], [{self.number(scope, 1)}, {self.number(scope, 1)}])"
            inside.ints.append(f"{variable}w")
        inside.counters.append(variable)
        inside.index = None if scope.index is None else [*scope.index, variable]
        inside.quiet = True
        before = len(inside.values)
        lines, out = self.body(inside, value)
        for v in inside.values[before:]:
            if (
                last is not None
                and v.name
                and v.name.endswith(f"[{variable}]")
                and "." not in v.name
                and not scope.quiet
            ):
                scope.values.append(
                    replace(v, name=v.name.replace(f"[{variable}]", f"[{last}]"), channels=self.fresh())
                )
        channels = value.channels if out.channels == value.channels else self.fresh()
        size = value.size if inside.keeps else out.size if out.size == value.size else (self.fresh(),)
        return [f"{head} {self.braces(lines)}{self.hint()}"], Value(None, channels, size, value.vector)

    def repeated(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        inside = scope.inner(index=None, keeps=True)
        lines, out = self.body(inside, value)
        times = self.pick(
            ["1", "2", "3", *(f"{name} % 3" for name in scope.ints), *(f"{name} + 1" for name in scope.counters)]
        )
        same = out.channels == value.channels
        channels = value.channels if same else self.fresh()
        return [f"repeat {times} {self.braces(lines)}{self.hint()}"], Value(None, channels, value.size, value.vector)

    def case(self, scope: Scope, value: Value) -> tuple[list[str], Value]:
        cases, made = [], []
        for i in range(self.random.randint(1, 3)):
            inside = scope.inner(keeps=True, quiet=True)
            lines, out = self.body(inside, value)
            made.append(out)
            cases.append(f"{'else ' if i else ''}if {self.condition(scope)} {self.braces(lines)}")
        if self.one(0.6):
            lines, out = self.body(scope.inner(keeps=True, quiet=True), value)
            cases.append(f"else {self.braces(lines)}")
            made.append(out)
        else:
            made.append(value)
        channels = made[0].channels if len({out.channels for out in made}) == 1 else self.fresh()
        return [" ".join(cases) + self.hint()], Value(None, channels, value.size, value.vector)

    def init(self, scope: Scope) -> list[str]:
        """Starting weights, each by a constant of its own."""
        lines: list[str] = []
        if not self.inits:
            return lines
        for _ in range(self.random.randint(0, 2)):
            self.constants += 1
            if scope.named and self.one(0.5):
                path, parameter = self.pick(scope.named)
                selector = path if parameter == "weight" and self.one(0.5) else f"{path}.{parameter}"
                lines.append(f"init {selector}: constant({self.constants / 64})")
                continue
            if self.one(0.4):
                lines.append(self.drawn(scope))
                continue
            start = self.pick([f"constant({self.constants / 64})"] * 5 + ["zeros", "ones"])
            kinds = [kind for kind in ("conv", "linear") if kind not in scope.taken]
            selectors = [
                "batchnorm",
                "batchnorm.bias",
                *kinds,
                *(f"{kind}.bias" for kind in kinds),
                ", ".join(kinds) or "prelu",
            ]
            lines.append(f"init {self.pick(selectors)}: {start}")
        return lines

    def interpolated(self, scope: Scope, value: Value) -> tuple[list[str], Value] | None:
        """A transposed convolution that starts as interpolation."""
        label = self.label(scope) if self.inits and scope.index == [] and not (scope.keeps or value.vector) else None
        if label is None:
            return None
        n = self.random.randint(1, 4)
        start = self.pick(["bilinear", "bilinear(fixed=true)"])
        line = f"{label} = deconv({n}, 4, stride=2, padding=1, groups={n}, bias=false)"
        out = replace(value, channels=str(n), size=(*value.size, "*2"), pooled=None)
        return [f"conv({n}, 1)", line, f"init {label}: {start}"], self.keep(scope, label, out)

    def drawn(self, scope: Scope) -> str:
        """Starting weights that are no one number, of kernels that no label is taken for."""
        fan = [f"{name}({given})" for name in ("kaiming_normal", "kaiming_uniform") for given in FAN]
        gain = [f"{name}{given}" for name in GAIN for given in ("", "(gain=1.5)")]
        others = [
            "normal(std=0.01)",
            "normal(mean=0.5)",
            "uniform(a=-0.1, b=0.2)",
            "uniform",
            "dirac",
            "dirac(groups=1)",
        ]
        others += ["trunc_normal(mean=0.1, std=0.02, a=-1, b=1)", "constant(val=0.75)"]
        kind = "deconv" if "conv" in scope.taken else "conv"
        return f"init {kind}: {self.pick([self.pick(fan), self.pick(gain), self.pick(others)])}"
