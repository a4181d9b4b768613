"""Pieces of a network with one mistake each, to be put after one another.

Each takes the map [8, H, W] that flows and goes by the name `{x}`, and would give such a map were it not for its
mistake. `{i}` tells its labels from those of other pieces.
"""

from __future__ import annotations

PIECES = {
    "E0310-residual-padding": "residual {{ conv(8, 3) -> relu -> conv(8, 3) }}",
    "E0310-residual-channels": "residual {{ conv(16, 3, padding=1) }}\nconv(8, 1)",
    "E0310-residual-stride": "residual {{ conv(8, 3, stride=2, padding=1) }}\nupsample(2)",
    "E0310-add-channels": "a{i} = conv(16, 3, padding=1)\nadd(a{i}, {x})\nconv(8, 1)",
    "E0310-add-padding": "a{i} = conv(8, 3)\nadd({x}, a{i})",
    "E0310-concat-padding": "concat {{ conv(8, 3, padding=1); conv(8, 3) }}\nconv(8, 1)",
    "E0310-concat-axis": "concat({x}, {x}, axis=3)\nconv(8, 1)",
    "E0310-dense": "dense {{ conv(4, 3) }}\nconv(8, 1)",
    "E0310-gate": "gate {{ conv(4, 1) -> sigmoid }}\nconv(8, 1)",
    "E0310-no-projection": "residual {{ conv(8, 3) }} project",
    "E0301-linear": "v{i} = linear(10)\n{x} -> relu",
    "E0305-linear": "flatten -> linear(10) -> relu\n{x} -> relu",
    "E0303-groups": "conv(8, 3, padding=1, groups=3)",
    "E0303-groups-of-channels": "conv(9, 3, padding=1, groups=3)\nconv(8, 1)",
    "E0302-window": "conv(8, 199) -> conv(8, 1)",
    "E0304-stated": "y{i}: [16, _, _] = conv(8, 3, padding=1)",
    "E0304-stated-and-bound": "y{i}: [9, n{i}, _] = conv(8, 3, padding=1)\nconv(n{i}, 1)\nconv(8, 1)",
    "E0101-operand": "b{i} = conv(8, 3, padding=1)\nadd(bb{i}, {x})",
    "E0101-constant": "let wide{i} = 8\nconv(wid{i}, 3, padding=1)\nconv(8, 1)",
    "E0102-layer": "convv(8, 3, padding=1)\nconv(8, 1)",
    "E0102-of-torch": "Conv2d(8, 3, padding=1) -> conv(8, 1)",
    "E0103-label": "a{i} = relu\na{i} = conv(8, 3, padding=1)",
    "E0104-value": "gelu = conv(8, 3, padding=1)\ngelu",
    "E0105-label": "forward = conv(8, 3, padding=1)",
    "E0201-missing": "conv(8)\nconv(8, 1)",
    "E0201-unknown": "conv(8, 3, paddin=1)\nconv(8, 1)",
    "E0202-type": "conv(8.5, 3, padding=1)\nconv(8, 1)",
    "E0202-word": "conv(8, 3, padding=sam)\nconv(8, 1)",
    "E0203-division": "conv(8 // (2 - 2), 3)\nconv(8, 1)",
    "E0203-condition": "if 1 {{ relu }} else {{ tanh }}",
    "E0501-several": "parallel {{ relu; tanh }} -> relu",
    "E0504-dots": "a.b{i} = relu",
    "E0505-no-body": "residual -> relu",
    "E0505-no-combinator": "residul {{ conv(8, 3, padding=1) }}",
    "E0506-names": "a{i}, b{i} = relu",
    "E0507-kind": "relu on cpu(0)",
    "E0601-layer": "nms",
}

# After these nothing is certain: of what comes then only mistakes of names, arguments and structure show.
DARK = {
    "E0104-value": "whether the value or the layer was meant is open",
    "E0203-condition": "which case holds is open",
    "E0501-several": "which value flows on is open",
    "E0505-no-body": "what the body gives is open",
    "E0505-no-combinator": "which combinator was meant is open",
    "E0506-names": "what flows on is open",
    "E0601-layer": "what the layer gives is not known",
}

# After these the sizes are open, though not how many there are; a mistake of sizes alone does not show then.
OPEN = {
    "E0101-constant", "E0102-layer", "E0102-of-torch", "E0201-missing", "E0201-unknown", "E0202-type", "E0202-word",
    "E0203-division", "E0302-window", "E0303-groups",
}  # fmt: skip
SIZED = {"E0302-window", "E0305-linear", "E0310-residual-stride"}

# Pieces that follow each other directly: each is wrong whatever the one before was meant to give, so the second is told
# though the first leaves channels and sizes open. `{n}` are channels that nothing before has.
STRAIGHT = {
    "E0310-residual-channels": "residual {{ conv({n}, 3, padding=1) }}",
    "E0310-residual-stride": "residual {{ conv(3, 3, padding=1, stride=2) }}",
    "E0310-residual-both": "residual {{ conv({n}, 3, padding=1, stride=2) -> conv({n}, 3, padding=1) }}",
    "E0310-residual-padding": "residual {{ maxpool(3, stride=1) }}",
    "E0310-add-channels": "a{i} = conv({n}, 1)\nb{i} = conv(7, 1)\nadd(a{i}, b{i})",
    "E0310-add-padding": "a{i} = conv(3, 1)\nb{i} = conv(3, 3)\nadd(a{i}, b{i})",
    "E0310-concat-padding": "concat {{ conv({n}, 3, padding=1); conv({n}, 3) }}",
    "E0310-dense": "dense {{ conv({n}, 3) }}",
    "E0310-gate": "gate {{ conv({n}, 1) -> sigmoid }}",
    "E0102-of-torch": "nn.Conv2d({n}, {n}, 3, padding=1)",
    "E0201-applied-to": "h{i} = tanh\ny{i} = relu(h{i})",
    "E0201-assigned": "h{i} = tanh\nh{i} = relu(h{i})",
    "E0202-list": "h{i} = tanh\nconcat([h{i}, h{i}], 1)",
    "E0305-linear": "flatten -> linear(10)",
}
LAST = {"E0305-linear"}  # gives no map


def straight(*pieces: str) -> str:
    """Pieces right after one another."""
    body = "\n".join(STRAIGHT[piece].format(i=i, n=16 * 3**i) for i, piece in enumerate(pieces))
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return f"network Net {{\n  input image: [3, 64, W]\n{lines}}}\n"


def network(first: str, second: str) -> str:
    """Two pieces with sound layers before, between and after them."""
    sound = "{x} = conv(8, 3, padding=1) -> batchnorm -> relu"
    parts = []
    for i, piece in enumerate((first, second), 1):
        names = {"i": i, "x": f"x{i}"}
        parts += [sound.format(**names), PIECES[piece].format(**names)]
    body = "\n".join([*parts, "relu"])
    lines = "".join(f"  {line}\n" for line in body.split("\n"))
    return f"network Net {{\n  input image: [3, 64, W]\n{lines}}}\n"
