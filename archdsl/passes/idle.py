"""`init` statements that do nothing, told as warnings.

Input: the networks of a file, all of them sound. A selector does nothing if no parameter of any of them starts by its
rule: there is none that it means, or other rules fill all of them. Non-goals: blocks of other files, whose authors know
more of their uses than is to be seen here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.diagnostics import Label, Sink
from archdsl.graph.model import InitRule, Network, Scope, scopes
from archdsl.layers import registry
from archdsl.passes.starts import Starts
from archdsl.source import Source


def check_inits(networks: Sequence[Network], source: Source, sink: Sink) -> None:
    """Warns (W0508) of each selector of `source` by which no parameter of any network starts."""
    tables = {network.scope: Starts() for network in networks}
    used = {rule.span for root, starts in tables.items() for rule in starts.of(root).values()}
    for root, starts in tables.items():
        for scope in scopes(root):
            for rule in scope.inits:
                if rule.span.source is source and rule.span not in used:
                    message, label = _why(root, scope, rule, starts)
                    sink.add("W0508", message, rule.span, labels=label)


def _why(root: Scope, scope: Scope, rule: InitRule, starts: Starts) -> tuple[str, tuple[Label, ...]]:
    text = rule.span.text
    path = _first(scope, rule, starts)
    if path is None:
        inside = next((starts.inside(scope)[path] for path in starts.selected(scope, rule)), None)
        if inside is None and rule.kind is not None and registry.find(rule.kind) is None:
            return f"this `init` fills nothing: there is no `{text}` here", ()
        if inside is None:
            what = f"`{rule.kind}`" if rule.parameter == "weight" else f"`{rule.kind}` with a `{rule.parameter}`"
            return f"this `init` fills nothing: there is no {what} here", ()
        return f"this `init` fills nothing: each `{text}` has one inside", (Label(inside.span, "fills it"),)
    by = starts.of(scope)[path]
    if by is not rule:
        return f"this `init` is in vain: a later one fills `{text}`", (Label(by.span, "fills it"),)
    final = starts.of(root)
    by = next(final[prefix + path] for prefix in _places(root, scope, "") if prefix + path in final)
    return f"this `init` is in vain: where it is used, another fills `{text}`", (Label(by.span, "fills it"),)


def _first(scope: Scope, rule: InitRule, starts: Starts) -> str | None:
    """A parameter that a rule means."""
    if rule.path is not None:
        return rule.path
    inside = starts.inside(scope)
    return next((path for path in starts.selected(scope, rule) if path not in inside), None)


def _places(at: Scope, scope: Scope, prefix: str) -> Iterator[str]:
    """The paths of a scope's modules, each with a dot behind it."""
    if at is scope:
        yield prefix
    for name, module in at.modules.items():
        if isinstance(module.what, Scope):
            yield from _places(module.what, scope, f"{prefix}{name}.")
