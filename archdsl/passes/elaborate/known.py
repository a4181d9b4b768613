"""The layer that a name stands for, with a diagnostic where another package's layer is broken."""

from __future__ import annotations

from archdsl.layers.base import Layer
from archdsl.layers.registry import GROUP, BrokenLayer, find
from archdsl.passes.elaborate.frame import Frame
from archdsl.source import Span


def layer_class(frame: Frame, name: str, span: Span) -> type[Layer] | None:
    """The class of a layer, None if no layer has this name. Raises Failed, reported."""
    try:
        return find(name)
    except BrokenLayer as error:
        raise frame.context.fail(
            "E0102",
            f"the layer `{name}` cannot be used: {error}",
            span,
            "comes from another package",
            help=[
                f"the package that has `{name}` in the entry point group `{GROUP}` is broken: mend it or uninstall it"
            ],
        ) from error
