"""Diagnostics are data; `render` makes text of them and `cli` prints it."""

from archdsl.diagnostics.codes import CODES
from archdsl.diagnostics.diagnostic import Diagnostic, Label, Severity, Sink, in_order
from archdsl.diagnostics.fix import Edit, Fix, edited, edited_lines
from archdsl.diagnostics.suggest import did_you_mean

__all__ = [
    "CODES",
    "Diagnostic",
    "Edit",
    "Fix",
    "Label",
    "Severity",
    "Sink",
    "did_you_mean",
    "edited",
    "edited_lines",
    "in_order",
]
