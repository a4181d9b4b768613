"""Elaboration: names, blocks, loops and conditions resolved, a shape for every value, as a typed graph.

Input: a network's `Definition`, the settings of its parameters. Output: a `Network`, or None with diagnostics.
Elaboration and shape inference are one pass, not two: `if`, loops and arguments may ask for channels that only
inference knows (`transition(in.channels // 2)`), and `project` exists only where shapes differ.
Non-goals: costs, placement and code are not looked at here.
"""

from archdsl.passes.elaborate.network import SettingError, elaborate

__all__ = ["SettingError", "elaborate"]
