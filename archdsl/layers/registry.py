"""Finding a layer by its name.

The layers that come with archdsl are the files `layers/FAMILY/NAME.py`; one is imported when a spec first names it.
Other packages add layers through the entry point group `archdsl.layers` (name → class). That group is read only when
a name is not ours, since reading it costs more than a small spec's check. What goes wrong in such a package is an error
of the spec that names its layer, not of the compiler.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl.layers.base import Layer

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint, EntryPoints

GROUP = "archdsl.layers"

# What another package's code may end in: it is missing, or has a slip of the kinds that Python reports.
FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class BrokenLayer(Exception):
    """A layer of another package that cannot be used; the message says why."""


@cache
def _files() -> dict[str, str]:
    """Layer name → module, of the layers that come with archdsl."""
    here = Path(__file__).parent
    return {
        path.stem: f"archdsl.layers.{path.parent.name}.{path.stem}"
        for path in sorted(here.glob("*/*.py"))
        if not path.stem.startswith("_")
    }


@cache
def find(name: str) -> type[Layer] | None:
    """The layer class of that name, or None. Raises BrokenLayer."""
    module = _files().get(name)
    if module is not None:
        return _in_module(module, name)
    for point in _others().select(name=name):
        return _loaded(point)
    return None


def _loaded(point: EntryPoint) -> type[Layer]:
    """The class that an entry point names, checked. Raises BrokenLayer."""
    try:
        layer = point.load()
    except FAULTS as error:
        raise BrokenLayer(f"loading `{point.value}` failed: {type(error).__name__}: {error}") from error
    if not (isinstance(layer, type) and issubclass(layer, Layer) and not layer.abstract):
        raise BrokenLayer(f"`{point.value}` is no layer class")
    if layer.name != point.name:
        raise BrokenLayer(f"`{point.value}` is a layer by the name of `{layer.name}`")
    return layer


@cache
def names() -> tuple[str, ...]:
    """The names of all layers, sorted."""
    return tuple(sorted({*_files(), *_others().names}))


def known_as(name: str) -> str | None:
    """The layer that PyTorch or another framework calls so: `Conv2d`, `BatchNorm2d`, `ConvTranspose2d`, `Dense`."""
    called = _by_any_name()
    return called.get(_folded(name)) or called.get(re.sub("[123]d$", "", _folded(name)))


@cache
def _by_any_name() -> dict[str, str]:
    """The layers that come with archdsl by their names and aliases, folded."""
    called: dict[str, str] = {}
    for ours in _files():
        layer = find(ours)
        for each in (ours, *(layer.aliases if layer is not None else ())):
            called[_folded(each)] = ours
    return called


def _folded(name: str) -> str:
    return name.lower().replace("_", "")


def families() -> tuple[str, ...]:
    """The families of the layers that come with archdsl, sorted."""
    return tuple(sorted({module.split(".")[-2] for module in _files().values()}))


def is_shipped(name: str) -> bool:
    """Whether a layer of that name comes with archdsl."""
    return name in _files()


@cache
def _others() -> EntryPoints:
    """The layers of other packages."""
    from importlib.metadata import entry_points  # here, not above: it is slow, and few specs need it

    return entry_points(group=GROUP)


def _in_module(module: str, name: str) -> type[Layer]:
    for value in vars(import_module(module)).values():
        if isinstance(value, type) and issubclass(value, Layer) and value.__module__ == module and not value.abstract:
            assert value.name == name, f"{module} defines layer {value.name}"
            return value
    raise TypeError(f"{module} defines no layer")


# Layers of the language that are not built yet, and their families.
LATER = {
    **dict.fromkeys(("attention", "tokens", "position", "scale"), "attend"),
    **dict.fromkeys(
        ("anchors", "proposals", "roi_pool", "roi_align", "warp_regions", "yolo", "decode_boxes", "nms"), "detect"
    ),
}
