"""Random steps of a chain: layers, and blocks that are applied."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from whole.forms import Forms
from whole.knowledge import Block, Parameter, Scope, Value

FUNCTIONS = ["min", "max", "abs", "round", "ceil", "floor", "sum", "len", "channels"]


class Steps(Forms):
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
        if kind != "same" and "size" not in kind and self.one(0.4 if scope.texts else 0.1):
            mode = self.pick(['"replicate"', '"zeros"', "replicate", *scope.texts * 4])
            options.append(f"padding_mode={mode}")
        if self.one(0.3):
            options.append(f"bias={self.truth(scope)}")
        self.random.shuffle(options)
        return f"conv({channels}, {', '.join([kernel, *options])})"

    def plain(self, scope: Scope, value: Value) -> str:
        """A layer that keeps the shape."""
        kind = self.pick([self.activations, self.activations, self.normalisations, self.normalisations, self.drops])
        names = [form.text for made in kind(scope, value).values() for form in made if form.channels is None]
        return self.pick(names)

    def formed(self, scope: Scope, value: Value, resizing: bool = False) -> tuple[str, Value]:
        """One of the layers, each of them as often; if `resizing`, one that changes the size."""
        forms = self.forms(scope, value)
        if resizing:
            forms = {name: [form for form in made if form.size] for name, made in forms.items()}
        form = self.pick(self.pick([made for made in forms.values() if made]))
        size = value.size
        if form.size:
            size = (self.fresh(),) if form.size == "?" else (*([] if form.size[0] == "=" else size), form.size)
        channels = value.channels if form.channels is None else self.token(form.channels)
        return form.text, Value(None, channels, size, value.vector, value.size if form.pools else None)

    def step(self, scope: Scope, value: Value) -> tuple[str, Value]:
        """One step of a chain, and what comes out."""
        self.left -= 1
        known = replace(value, name=None, pooled=None)
        if self.one(0.28):
            return self.plain(scope, value), known
        if self.one(0.25):
            return self.formed(scope, value)
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
        if not scope.keeps and self.one(0.2):
            return self.formed(scope, known, resizing=True)
        return self.same(scope, channels), replace(known, channels=self.token(channels))

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
            "text": lambda: self.pick(['"zeros"', '"replicate"', *scope.texts * 2]),
            "optional": lambda: self.pick(["none", "1", "2", *scope.optional * 2]),
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
