"""What `init` statements make of the parameters, where they give constants: the manual's rules, on a checked graph."""

from __future__ import annotations

from archdsl.graph.model import InitRule, Scope

Starts = dict[str, float | None]  # by parameter; None where an initialiser draws numbers


def starts(scope: Scope) -> Starts:
    """How each parameter starts that some statement means, those of inner bodies included."""
    found: Starts = {}
    for name, module in scope.modules.items():
        if isinstance(module.what, Scope):
            found.update({f"{name}.{key}": value for key, value in starts(module.what).items()})
    inner = set(found)
    kinds = dict(_kinds(scope))
    for rule in scope.inits:
        value = _constant(rule)
        if rule.path is not None:
            found[rule.path] = value
            continue
        for path, kind in kinds.items():
            if kind == (rule.kind, rule.parameter) and path not in inner:
                found[path] = value
    return found


def _kinds(scope: Scope, prefix: str = "") -> list[tuple[str, tuple[str, str]]]:
    """Each parameter by its path, with the kind of its layer and its name there."""
    found: list[tuple[str, tuple[str, str]]] = []
    for name, module in scope.modules.items():
        if isinstance(module.what, Scope):
            found += _kinds(module.what, f"{prefix}{name}.")
        else:
            found += [(f"{prefix}{name}.{key}", (module.what.name, key)) for key in module.weights]
    return found


def _constant(rule: InitRule) -> float | None:
    fixed = {"zeros": 0.0, "ones": 1.0}
    if rule.initialiser == "constant":
        return float(rule.arguments["val"])
    return fixed.get(rule.initialiser)
