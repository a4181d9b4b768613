"""Pictures of networks: a `Diagram` is data (`model.py`), `build` makes it, `dot` and `mermaid` write it as text."""

from archdsl.emit.diagram.build import View, build
from archdsl.emit.diagram.dot import dot
from archdsl.emit.diagram.mermaid import mermaid
from archdsl.emit.diagram.model import Diagram

__all__ = ["Diagram", "View", "build", "dot", "mermaid"]
