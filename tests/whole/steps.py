"""Random steps of a chain: layers, and blocks that are applied."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from whole.expressions import Expressions
from whole.knowledge import Block, Parameter, Scope, Value

FUNCTIONS = ["min", "max", "abs", "round", "ceil", "floor", "sum", "len", "channels"]


class Steps(Expressions):
    """Each method gives the text of a step, and what is known of the value that comes out."""

    def same(self, scope: Scope, channels: str) -> str:
        """A convolution that keeps the size."""
        options: list[str] = []
        kinds = ["1", "1", "3", "3", "5", "same"]
        if scope.kernels:
            kinds += ["kernel"] * 4
        if self.rank == 2:
            kinds += ["pair"]
        if scope.sizes:
            kinds += ["size"] * 2
        kind = self.pick(kinds)
        if kind in "135":
            kernel = kind
            if kind != "1":
                options.append(f"padding={int(kind) // 2}")
        elif kind == "same":
            kernel = self.pick(["2", "3", "4"])
            options.append("padding=same")
            if self.one(0.3):
                options.append("dilation=2")
        elif kind == "pair":
            kernel, padding = self.pick([("1x3", "0x1"), ("3x1", "[1, 0]"), ("[3, 5]", "1x2")])
            options.append(f"padding={padding}")
        elif kind == "size":
            kernel = self.pick(scope.sizes)
            options.append("padding=same")
        else:
            kernel = self.pick(scope.kernels)
            if self.one(0.5):
                d = self.pick(["2", "1", *scope.strides * 2])
                options += [f"padding={d} * ({kernel} // 2)", f"dilation={d}"]
            else:
                options.append(f"padding={self.pick([f'{kernel} // 2', f'({kernel} - 1) // 2', 'same'])}")
        if kind != "same" and "size" not in kind and self.one(0.1):
            options.append(f'padding_mode="{self.pick(["replicate", "zeros"])}"')
        if self.one(0.3):
            options.append(f"bias={self.truth(scope)}")
        self.random.shuffle(options)
        return f"conv({channels}, {', '.join([kernel, *options])})"

    def plain(self, scope: Scope, value: Value) -> str:
        """A layer that keeps the shape."""
        steps = ["relu", "relu", "gelu", "silu", "tanh", "sigmoid", "identity", "elu(0.5)", "hardswish", "mish", "selu"]
        steps += ["relu6", "softplus", "hardsigmoid", "prelu", "prelu(per_channel=true)"]
        steps += [
            f"leaky_relu({self.fraction(scope)})",
            f"dropout({self.fraction(scope)})",
            f"drop_path({self.fraction(scope)})",
        ]
        steps += [f"elu({self.fraction(scope)})", f"softplus(beta={self.fraction(scope)} + 0.5)"]
        norms = ["batchnorm", "batchnorm", f"batchnorm(affine={self.truth(scope)})", "l2norm"]
        norms += [f"batchnorm(eps={self.pick(['1e-3', '0.01'])}, momentum={self.fraction(scope)})"]
        if not value.vector:
            norms += ["groupnorm(1)", f"batchnorm(track_running_stats={self.truth(scope)})"]
            norms += ["lrn(3)", f"lrn(2, alpha={self.fraction(scope)})", f"instancenorm(affine={self.truth(scope)})"]
            norms += ["instancenorm(track_running_stats=true)"]
            steps += [f"dropout{self.rank}d({self.fraction(scope)})", "softmax", "log_softmax(1)"]
            steps += ["maxpool(3, stride=1, padding=1)", "avgpool(3, stride=1, padding=1)"]
        else:
            norms += ["layernorm", f"layernorm(bias={self.truth(scope)})"]
        return self.pick(steps if self.one(0.65) else norms)

    def step(self, scope: Scope, value: Value) -> tuple[str, Value]:
        """One step of a chain, and what comes out."""
        self.left -= 1
        known = replace(value, name=None, pooled=None)
        if self.one(0.4):
            return self.plain(scope, value), known
        usable = [block for block in self.blocks if block.vector == value.vector and not block.outputs]
        if scope.keeps:
            usable = [block for block in usable if block.size == ()]
        if usable and self.one(0.45):
            found = self.call(scope, value, self.pick(usable))
            if found is not None:
                return found
        matching = [s for s in scope.shared if s[1].vector == value.vector and s[1].channels == value.channels]
        if matching and scope.own and self.one(0.5):
            name, _, out = self.pick(matching)
            return name, replace(known, channels=out.channels)
        channels = self.width(scope)
        if value.vector:
            text = f"linear({channels}{self.pick(['', '', f', bias={self.truth(scope)}'])})"
            return text, replace(known, channels=self.token(channels))
        if not scope.keeps and self.one(0.3):
            return self.resize(scope, known)
        return self.same(scope, channels), replace(known, channels=self.token(channels))

    def resize(self, scope: Scope, value: Value) -> tuple[str, Value]:
        size, channels = value.size, self.width(scope)
        ceil = self.pick(["true", "false"])
        forms: list[tuple[str, str, str, bool]] = [
            ("maxpool(2)", "/2", value.channels, True),
            (f"maxpool(2, ceil={ceil})", f"/2{ceil}", value.channels, True),
            ("maxpool(3, stride=2, padding=1)", "^2", value.channels, True),
            ("avgpool(2)", "/2", value.channels, False),
            (f"conv({channels}, 3, stride=2, padding=1)", "^2", channels, False),
            (f"deconv({channels}, 2, stride=2)", "*2", channels, False),
            ("nearest_unpool(2)", "*2", value.channels, False),
            ("bed_of_nails(2)", "*2", value.channels, False),
            ("pad(1)", "+2", value.channels, False),
            ("pad(1, after=2)", "+3", value.channels, False),
            ("upsample(2)", "*2", value.channels, False),
            ("adaptive_avgpool(3)", "=3", value.channels, False),
            ("crop(2)", "=2", value.channels, False),
        ]
        for name in scope.strides:
            forms += [
                (f"conv({channels}, 3, stride={name}, padding=1)", f"s{name}", channels, False),
                (f"maxpool(3, stride={name}, padding=1)", f"s{name}", value.channels, True),
                (f"conv({channels}, 2 * {name} + 1, stride={name}, padding={name})", f"t{name}", channels, False),
            ] * 2
        text, change, made, pools = self.pick(forms)
        after = (change,) if change.startswith("=") else (*size, change)
        return text, replace(value, channels=self.token(made), size=after, pooled=size if pools else None)

    def call(self, scope: Scope, value: Value, block: Block) -> tuple[str, Value] | None:
        """The application of a block."""
        given: list[str] = []
        named = False
        texts: dict[str, str] = {}
        for parameter in block.parameters:
            if parameter.default is not None and self.one(0.4):
                named = True
                continue
            text = self.argument(scope, value, parameter)
            if text is None:
                return None
            texts[parameter.name] = text
            named = named or (parameter.default is not None and self.one(0.5)) or self.one(0.2)
            given.append(f"{parameter.name}={text}" if named else text)
        size = value.size if block.size is not None else (self.fresh(),)
        if block.size:
            size = block.size if block.size[0].startswith("=") else (*size, *block.size)
        channels = value.channels if block.channels == "in" else self.token(texts.get(block.channels, "?"))
        out = Value(None, channels, size, block.vector, value.size if block.pools and block.size else None)
        return f"{block.name}({', '.join(given)})" if given else block.name, out

    def argument(self, scope: Scope, value: Value, parameter: Parameter) -> str | None:
        if parameter.kind == "value":
            found = [v.name for v in scope.values if v.name and v.size == value.size and v.vector == value.vector]
            return self.pick(found) if found else None
        if parameter.kind == "pooled":
            found = [v.name for v in scope.values if v.name and v.size == value.size and v.pooled is not None]
            return self.pick(found) if found else None
        makers: dict[str, Callable[[], str]] = {
            "width": lambda: self.width(scope),
            "kernel": lambda: self.pick(["1", "3", "5", *scope.kernels * 4, *(f"2 * {n} + 1" for n in scope.counters)]),
            "stride": lambda: self.pick(["1", "2", *scope.strides * 4]),
            "float": lambda: self.fraction(scope),
            "flag": lambda: self.truth(scope),
            "list": lambda: self.listed(scope),
            "size": lambda: self.pick(
                [*{1: ["3", "1"], 2: ["1x3", "3x3", "[2, 1]"], 3: ["3x1x3"]}[self.rank], *scope.sizes]
            ),
        }
        return makers[parameter.kind]()

    def sayable(self, scope: Scope, channels: str) -> bool:
        """Whether the text of some channels means something here, and the same."""
        if channels.startswith("?"):
            return False
        known = {*scope.ints, *scope.counters, *scope.kernels, *scope.lists, *FUNCTIONS}
        known |= {part for value in scope.values if value.name for part in re.findall(r"\w+", value.name)}
        return set(re.findall(r"[A-Za-z_]\w*", channels)) <= known

    def wanted(self, scope: Scope, want: Value, name: str) -> str:
        """A layer that gives the channels of a value that has this name."""
        if want.vector:
            return f"linear({name}.features)"
        channels = f"{name}.channels" if not self.sayable(scope, want.channels) or self.one(0.7) else want.channels
        return self.same(scope, channels)
