"""What no emitted code has is refused, whatever it would do."""

from __future__ import annotations

import pytest
from noticing import SPEC, assert_noticed, check, emitted

from archdsl.validate import Mismatch

START = "        self.stem = nn.Conv2d("
END = "        return NetOutput("
# What is refused as it stands, whatever it would do at the sizes at which the code is run.
FORMS = {
    "a size that decides": (END, f"        if image.shape[2] > 9:\n            pass\n{END}", "decides by"),
    "a size that decides through a variable": (
        END,
        f"        n = image.shape[2]\n        if n > 1000:\n            main = small\n{END}",
        "calculates with a size",
    ),
    "a size that decides in an expression": (
        END,
        f"        main = main if image.dim() > 3 else small\n{END}",
        "decides by",
    ),
    "a comparison": (END, f"        large = image.dim() > 9\n{END}", "Compare"),
    "a loop over a size": (
        END,
        f"        for _ in range(image.shape[2] // 1000):\n            main = small\n{END}",
        "has For",
    ),
    "a calculation with a size": ("small.shape[2:]", "[small.shape[2] * 1, 6]", "calculates with a size"),
    "sizes that are taken apart": (END, f"        h, w = image.shape[2:]\n{END}", "takes `image.shape[2:]` apart"),
    "sizes that are taken apart by a function": (
        "small.shape[2:]",
        "max(small.shape[2:], (1, 1))",
        "calls `max`",
    ),
    "all sizes": (END, f"        sizes = image.shape\n{END}", "as a whole"),
    "an item of a variable": (END, f"        sizes = image.shape[2:]\n        n = sizes[0]\n{END}", "takes `sizes[0]`"),
    "a sum in place": (END, f"        main += main\n{END}", "AugAssign"),
    "an import that torch does not have": ("from torch import", "from torch import Tensro,", "imports `torch.Tensro`"),
    "an import under another name": ("import torch\n", "import torch as F\n", "imports"),
    "an import in a function": (END, f"        import math\n{END}", "Import in a function"),
    "a name that torch does not have": ("-> Tensor:", "-> torch.Tensro:", "asks for `torch.Tensro`"),
    "a class that torch does not have": (START, f"        nn.Conv2D\n{START}", "asks for `nn.Conv2D`"),
    "a part of torch": (START, f"        layers = nn\n{START}", "asks for `nn`"),
    "another name for a part of torch": (START, f"        nn = F\n{START}", "assigns to `nn`"),
    "another self": (START, f"        self = self\n{START}", "assigns to `self`"),
    "a parameter that is taken away": (END, f"        self.head.bias = None\n{END}", "assigns to `self.head.bias`"),
    "a parameter for two": (
        "        self.head = nn.Conv2d(8, 2, 1)\n",
        "        self.head = nn.Conv2d(8, 2, 1)\n        self.head.weight = self.stem.weight\n",
        "assigns to `self.head.weight`",
    ),
    "an option of a submodule": (
        "        self.head = nn.Conv2d(8, 2, 1)\n",
        "        self.head = nn.Conv2d(8, 2, 1)\n        self.dropout.p = 0.9\n",
        "assigns to `self.dropout.p`",
    ),
    "an option of all submodules": (
        "        for module in self.modules():\n",
        "        for module in self.modules():\n            module.eps = 0.5\n",
        "assigns to `module.eps`",
    ),
    "an item of a submodule": (END, f"        self.stage1['2'] = nn.ReLU()\n{END}", "assigns to `self.stage1"),
    "a submodule that is set later": (END, f"        self.late = nn.ReLU()\n{END}", "changes a module"),
    "a value that is no submodule": (START, f"        self.training = False\n{START}", "`training` is set to False"),
    "a submodule that is put into another": (
        "        self.head = nn.Conv2d(8, 2, 1)\n",
        '        self.head = nn.Conv2d(8, 2, 1)\n        self.stage1.add_module("late", nn.ReLU())\n',
        "is given the submodule `late` from outside",
    ),
    "a submodule of a layer": (
        "        self.head = nn.Conv2d(8, 2, 1)\n",
        '        self.head = nn.Conv2d(8, 2, 1)\n        self.head.add_module("late", nn.ReLU())\n',
        "is given the submodule `late` from outside",
    ),
    "a method of nn.Module": (
        "    def forward(self, image",
        "    def train(self, mode: bool = True) -> None:\n        pass\n\n    def forward(self, image",
        "defines the method `Net.train`",
    ),
    "no parameters": (
        "    def forward(self, image",
        "    def parameters(self, recurse: bool = True) -> Tensor:\n        pass\n\n    def forward(self, image",
        "defines the method `Net.parameters`",
    ),
    "a method of a tuple": (
        "    main: Tensor\n",
        "    main: Tensor\n    def f(self) -> None:\n        pass\n",
        "more than fields",
    ),
    "a forward twice": (
        "    def forward(self, image",
        "    def forward(self) -> None:\n        pass\n\n    def forward(self, image",
        "a method of `Net` twice",
    ),
    "a decorator": ("    def forward(self, image", "    @torch.cat\n    def forward(self, image", "decorates"),
    "an attribute of a class": (
        "class Net(nn.Module):",
        "class Net(nn.Module):\n    dump_patches = True\n",
        "Assign in the body",
    ),
    "another base": ("class Net(nn.Module):", "class Net(NetOutput):", "derives `Net`"),
    "optional inputs": ("image: Tensor)", "image: Tensor, more: int = 0)", "optional inputs"),
    "any number of inputs": ("image: Tensor)", "image: Tensor, *more: Tensor)", "any number of arguments"),
    "a statement outside of classes": (
        "class Net(nn.Module):",
        "torch.cat\n\n\nclass Net(nn.Module):",
        "outside of classes",
    ),
    "a variable outside of classes": (
        "class Net(nn.Module):",
        "Net = 3\n\n\nclass Net(nn.Module):",
        "a name of the file",
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_what_no_emitted_code_has(name: str) -> None:
    assert_noticed(SPEC, *FORMS[name])


def test_a_function_of_the_file_is_called_by_nobody_but_the_forward_that_begins_with_it() -> None:
    text = emitted(SPEC).replace(START, f"        halved(3)\n{START}")
    text = text.replace(
        "class Net(nn.Module)", "def halved(x: int) -> int:\n    return x // 2\n\n\nclass Net(nn.Module)"
    )
    with pytest.raises(Mismatch, match="calls `halved`"):
        check(text)
