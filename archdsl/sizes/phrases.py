"""Sets of sizes in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from archdsl.sizes.naturals import Naturals

# Exceptions, or runs of numbers, that are worth naming one by one.
FEW = 8


def phrases(values: Mapping[str, Naturals]) -> str:
    """Say which values the symbols may take; symbols with the same ones are named together."""
    groups: dict[Naturals, list[str]] = {}
    for name, allowed in values.items():
        groups.setdefault(allowed, []).append(name)
    if not groups:
        return "any input"
    said = [_phrase(names, allowed) for allowed, names in groups.items()]
    within = [words.replace(", ".join(names), "") for words, names in zip(said, groups.values(), strict=True)]
    return ("; " if len(said) > 1 and any(", " in words for words in within) else ", ").join(said)


def _phrase(names: list[str], allowed: Naturals) -> str:
    listed = ", ".join(names)
    if not allowed.residues:
        return f"{_and(names)} = {_runs(allowed.members)}"
    if not allowed.members:
        return _stretch(names, allowed)
    if allowed.period == 1 and allowed.stop is None:
        lowest = min(allowed.members)
        gaps = [n for n in range(lowest, allowed.start) if n not in allowed.members] if allowed.start < 1000 else []
        if 0 < len(gaps) <= min(FEW, len(allowed.members)):
            return f"any {listed}{_from(lowest)} except {_and([str(n) for n in gaps])}"
    return f"{_and(names)} = {_runs(allowed.members)}, or {_stretch(names, allowed)}"


def _stretch(names: list[str], allowed: Naturals) -> str:
    """The part of a set that is all residues of a period, from a start and perhaps up to a stop."""
    listed, both, many = ", ".join(names), _and(names), len(names) > 1
    start, period, residues = allowed.start, allowed.period, allowed.residues
    if period == 1:
        if allowed.stop is None:
            return f"any {listed}{_from(start)}"
        last = allowed.stop - 1
        return f"any {listed} <= {last}" if start == 1 else f"any {listed} from {start} to {last}"
    missing = frozenset(range(period)) - residues if len(residues) > period // 2 else frozenset()
    (residue, *more) = sorted(residues)
    if more and len(missing) == 1 and 0 in missing:
        words = f"{both} not {'multiples' if many else 'a multiple'} of {period}"
    elif more and 0 < len(missing) <= 2:
        words = f"{both} with {' and '.join(f'{name} % {period} not {_runs(missing)}' for name in names)}"
    elif more:
        words = f"{both} with {' and '.join(f'{name} % {period} in {_runs(residues)}' for name in names)}"
    elif period == 2:
        words = f"{both} {'odd' if residue else 'even'}"
    elif residue == 0:
        words = f"{both} {'multiples' if many else 'a multiple'} of {period}"
    else:
        words = f"{both} {'of the form' if many else '='} {period}*k + {residue}"
    if start != min(r or period for r in residues):
        words += f", at least {start}"
    return words if allowed.stop is None else f"{words}, at most {allowed.stop - 1}"


def _from(start: int) -> str:
    return f" >= {start}" if start > 1 else ""


def _and(words: Sequence[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _runs(numbers: Iterable[int]) -> str:
    """Numbers with neighbours put together: `3, 5..8 or 12`; of many runs, how many numbers there are."""
    runs: list[list[int]] = []
    ordered = sorted(numbers)
    for n in ordered:
        if runs and n == runs[-1][1] + 1:
            runs[-1][1] = n
        else:
            runs.append([n, n])
    if len(runs) > FEW:
        return f"{ordered[0]}, {ordered[1]}, … {ordered[-1]} ({len(ordered)} numbers)"
    words = []
    for low, high in runs:
        words += [str(n) for n in range(low, high + 1)] if high - low < 2 else [f"{low}..{high}"]
    return _and(words, "or")
