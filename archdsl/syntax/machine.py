"""The LALR machine: Lark's tables, driven from here.

Lark's own loop hashes a rule, in Python, at every reduction, and calls a function for each of the ten levels of
precedence that a plain `64` passes through. This one does neither, and keeps its stacks for recovery from an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from lark import Lark, Token
    from lark.grammar import Rule


class _Reduction(NamedTuple):
    size: int
    origin: str
    build: Callable[[list[Any]], Any] | None  # None where the rule only passes its one part on


class Machine:
    """Two stacks and Lark's tables. `states` is one longer than `values`."""

    def __init__(self, lark: Lark) -> None:
        from lark.parsers.lalr_analysis import Shift

        conf = lark.parse_interactive().parser_state.parse_conf
        self._shift = Shift
        self._table: dict[Any, dict[str, tuple[Any, Any]]] = conf.states
        self._start, self._end = conf.start_state, conf.end_state
        self._callbacks: dict[Any, Any] = dict(conf.callbacks)
        self._reductions: dict[int, _Reduction] = {}  # by the rule's id: the table keeps every rule alive
        self.reset()

    def reset(self) -> None:
        """To the start of a file."""
        self._states = [self._start]
        self._values: list[Any] = []

    def read(self, tokens: Iterable[Token]) -> Token | None:
        """Take tokens until one does not fit; return that one, and keep the stacks."""
        table, shift, end, reductions = self._table, self._shift, self._end, self._reductions
        states, values = self._states, self._values
        for token in tokens:
            kind = token.type
            while True:
                found = table[states[-1]].get(kind)
                if found is None:
                    return token
                action, goal = found
                if action is shift:
                    states.append(goal)
                    values.append(token)
                    break
                try:
                    size, origin, build = reductions[id(goal)]
                except KeyError:
                    size, origin, build = self._resolve(goal)
                if build is None:
                    states[-1] = table[states[-2]][origin][1]
                    continue
                if size:
                    value = build(values[-size:])
                    del states[-size:], values[-size:]
                else:
                    value = build([])
                states.append(table[states[-1]][origin][1])
                values.append(value)
                if states[-1] == end:
                    break
        return None

    def _resolve(self, rule: Rule) -> _Reduction:
        size = len(rule.expansion)
        passes = size == 1 and rule.options.expand1 and rule.alias is None and not rule.expansion[0].is_term
        made = _Reduction(size, rule.origin.name, None if passes else self._callbacks[rule])
        self._reductions[id(rule)] = made
        return made

    def accepts(self) -> set[str]:
        """The terminals that could come next."""
        return {kind for kind in self._table[self._states[-1]] if kind.isupper() and self._would_take(kind)}

    def _would_take(self, kind: str) -> bool:
        states = self._states.copy()
        while True:
            found = self._table[states[-1]].get(kind)
            if found is None:
                return False
            action, goal = found
            if action is self._shift:
                return True
            if goal.expansion:
                del states[-len(goal.expansion) :]
            states.append(self._table[states[-1]][goal.origin.name][1])
            if states[-1] == self._end:
                return True

    def within(self, rule: str) -> int:
        """How many states lead to the last place where a `rule` could begin; 0 if there is none."""
        for top in range(len(self._states), 0, -1):
            if rule in self._table[self._states[top - 1]]:
                return top
        return 0

    def unwind(self, rule: str) -> bool:
        """Go back to the last place where a `rule` could begin; false if there is none."""
        top = self.within(rule)
        if top:
            del self._states[top:], self._values[top - 1 :]
        return top > 0

    def finish(self, line_end: Token) -> None:
        """Complete what only waits to see what comes next, as a line end would."""
        if self._would_take(line_end.type):
            self.read([line_end])
