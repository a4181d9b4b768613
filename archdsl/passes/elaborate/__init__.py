"""Elaboration: names, blocks, loops and conditions resolved, a shape for every value, as a typed graph.

Input: a network's `Definition`, the settings of its parameters. Output: a `Network`, or None with diagnostics.
After a refused step elaboration goes on with what is certain (`meant.py`), so that all mistakes are told at once.
Elaboration and shape inference are one pass, not two: `if`, loops and arguments may ask for channels that only
inference knows (`transition(in.channels // 2)`), and `project` exists only where shapes differ.
Non-goals: costs, placement and code are not looked at here.
"""

from archdsl.passes.elaborate.frame import Memo
from archdsl.passes.elaborate.network import Attempt, SettingError, attempt, claims, elaborate

__all__ = ["Attempt", "Memo", "SettingError", "attempt", "claims", "elaborate"]
