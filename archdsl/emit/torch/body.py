"""The lines of a `forward`: which value stands in which variable, and which waits as an expression for its user."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain, count, pairwise
from typing import TYPE_CHECKING

from archdsl.emit.torch.code import WIDTH, Block, Bracket, Doc, Line, Prefixed, Stmt, flat
from archdsl.emit.torch.construct import Constructor
from archdsl.emit.torch.copies import Copies
from archdsl.emit.torch.expression import Expression
from archdsl.emit.torch.say import python_name
from archdsl.graph.model import Call, Join, Scope, Value
from archdsl.passes.inplace import unread_joins, use_counts
from archdsl.passes.place import Leaf, Placed

if TYPE_CHECKING:
    from archdsl.emit.torch.classes import Classes

FLOW = ("x", "y", "z", "u", "v", "w")
LONGEST = 56  # of an expression that is nested into another
DEEPEST = 3

NOTHING = Expression("")


@dataclass
class Body:
    """The lines of a forward as they are written, with the values that they stand for.

    A value stands in a variable, or waits as an expression until its only user is written. Two rules make the text mean
    what the graph says, whatever is nested into what:

    * A variable is assigned only if nothing needs what it holds: no value in it has uses left, no expression that
      waits, and none that is at hand for the application being written, reads it.
    * Before a line is written, whatever waits and runs earlier in the spec gets lines of its own. So the order of
      applications is the spec's: of random draws, of running statistics.
    """

    classes: Classes
    scope: Scope
    placed: Placed
    constructor: Constructor
    shapes: bool  # comments with shapes
    out: list[Stmt] = field(default_factory=list)
    values: dict[Value, Expression] = field(default_factory=dict)
    waiting: dict[Value, Expression] = field(default_factory=dict)  # values without a variable
    hands: list[Expression] = field(default_factory=list)  # operands of the application being written
    around: list[Expression] = field(default_factory=list)  # what is read after the items that are being written
    holder: dict[str, Value] = field(default_factory=dict)  # variable → value
    given: dict[Value, str] = field(
        default_factory=dict
    )  # the variables of values that are declared before they are made
    declared: set[str] = field(default_factory=set)  # variables that have been assigned
    annotated: set[str] = field(default_factory=set)  # those declared as tensors
    untyped: set[str] = field(default_factory=set)  # those that a type checker takes for Any, as a submodule returns
    applications: int = 0

    def __post_init__(self) -> None:
        self.copies = Copies(self)
        self.unread = unread_joins(self.scope)
        self.left = use_counts(self.scope)
        for given, value in self.placed.same.items():
            self.left[value] += self.left.pop(given, 0) - isinstance(given.producer, Join)
        tensor = self.placed.tensor
        self.results = {tensor(result.value): result for result in self.scope.results}
        several = self.classes.fields(self.placed) is not None
        self.kept = {tensor(r.value) for r in self.scope.results if several}
        self.kept |= {tensor(value) for value in self.scope.exports.values()}

    # --- values -----------------------------------------------------------------------------------------------------

    def hold(self, name: str, value: Value) -> None:
        self.holder[name] = value
        self.values[value] = Expression(name)

    def take(self, values: Sequence[Value], item: Leaf) -> list[Expression]:
        """The operands of an application, at hand until it is made."""
        self.hands = []
        for index, value in enumerate(values):
            self.hands.append(self.use(value, item, index))
        self.settle_order()
        return self.hands

    def give(self, item: Call) -> list[Expression]:
        """The arguments of a call, at hand until it is made: each input on each device on which it is given."""
        self.hands = []
        for tensor, devices in self.copies.given(item):
            self.leave(tensor)
            for each in self.copies.each(tensor, devices):
                self.hands.append(each)
        self.settle_order()
        return self.hands

    def use(self, value: Value, item: Leaf | None = None, index: int = 0) -> Expression:
        """The expression of a value for one of its users, on the user's device; `index` is which operand it is."""
        tensor = self.placed.tensor(value)
        self.leave(tensor)
        return self.values[tensor] if item is None else self.copies.operand(tensor, item, index)

    def settle(self, tensor: Value) -> None:
        """Gives a value that waits a variable."""
        if self.values[tensor].depth:
            self.assign(tensor, self.values[tensor])

    def leave(self, tensor: Value) -> None:
        """One use of a value less."""
        self.left[tensor] -= 1
        if not self.left[tensor]:
            self.waiting.pop(tensor, None)

    def made(self, doc: Doc, typed: bool, *, op: str = "", applied: bool = False) -> Expression:
        """What is made of the operands at hand, which it takes out of them."""
        ran = [each.ran for each in self.hands if each.ran is not None]
        if applied:
            ran.append((self.applications, self.applications))
            self.applications += 1
        depth = 1 + max((each.depth for each in self.hands), default=0)
        self.hands = []
        return Expression(doc, depth, typed, op, (ran[0][0], ran[-1][1]) if ran else None)

    def make(self, value: Value, made: Expression, flush: bool = False) -> None:
        """A new value: assigned now, or nested into its only user; if it has none, it is only run."""
        if value in self.given or self.left[value] > 1 or value in self.kept:
            self.assign(value, made)
        elif not self.left[value]:
            self.run(made)
        elif value in self.results and made.typed:
            self.keep(value, made)  # `return F.relu(x)`
        elif flush or made.depth >= DEEPEST or len(flat(made.doc)) > LONGEST:
            self.assign(value, made)
        else:
            self.keep(value, made)

    def keep(self, value: Value, made: Expression) -> None:
        """A value that has no variable (yet)."""
        self.values[value] = self.waiting[value] = made

    def assign(self, value: Value, made: Expression) -> None:
        self.waiting.pop(value, None)
        self.before(made)
        name = self.label(value) if self.left[value] > 1 or value in self.kept else self.flow()
        self.put(name, made, value)
        self.hold(name, value)

    def put(self, name: str, made: Expression, value: Value | None = None) -> None:
        """An assignment; that of a value of the spec has its shape and, the first time, a type if none is known."""
        doc = self.shortened(f"{name}: Tensor = ", made)
        new = value is not None and name not in self.declared and not made.typed
        comment = f"# {self.shape(value)}" if self.shapes and value is not None else ""
        self.out.append(Line(Prefixed(f"{name}: Tensor = " if new else f"{name} = ", doc), comment))
        self.holder.pop(name, None)
        self.declared.add(name)
        if new:
            self.annotated.add(name)
        if made.typed or name in self.annotated:
            self.untyped.discard(name)
        else:
            self.untyped.add(name)

    def run(self, made: Expression) -> None:
        """A line for what nobody uses: it may draw random numbers or count statistics."""
        self.before(made)
        self.out.append(Line(made.doc))

    # --- order ------------------------------------------------------------------------------------------------------

    def settle_order(self) -> None:
        """Gives the operands at hand variables if, nested as they are, something would not run in its turn."""
        ran = [each for each in self.hands if each.ran is not None]
        if not ran:
            return
        first = min(_first(each) for each in ran)
        between = [value for value, each in self.waiting.items() if each.ran is not None and each.ran[0] > first]
        if not between and all(_last(a) < _first(b) for a, b in pairwise(ran)):
            return
        for each in sorted([*ran, *(self.waiting[value] for value in between)], key=_first):
            if each in self.hands:
                self.hoist(self.hands.index(each))
            else:
                self.assign(next(value for value in between if self.values[value] is each), each)

    def before(self, made: Expression) -> None:
        """Lines for what waits and comes before the last application of an expression that is about to be written."""
        if made.ran is None:
            return
        self.hands.append(made)
        earlier = [value for value, each in self.waiting.items() if each.ran is not None and each.ran[0] < made.ran[1]]
        for value in sorted(earlier, key=lambda value: _first(self.values[value])):
            if value in self.waiting:
                self.assign(value, self.waiting[value])
        self.hands.pop()

    def run_all(self) -> None:
        """Gives all that waits to be run a line: what follows stands in another block."""
        for value, each in list(self.waiting.items()):
            if each.ran is not None and value in self.waiting:
                self.assign(value, each)

    def hoist(self, index: int, value: Value | None = None) -> None:
        """Gives an operand at hand a variable; `value` if it is one of the spec as it stands."""
        each = self.hands[index]
        self.before(each)
        self.hands[index] = NOTHING
        name = self.flow()
        self.put(name, each, value)
        self.hands[index] = Expression(name)

    # --- names ------------------------------------------------------------------------------------------------------

    def shortened(self, target: str, made: Expression) -> Doc:
        """The expression; of a call of a call that is too long for a line, the inner one gets a line of its own."""
        doc = made.doc
        if not isinstance(doc, Bracket) or len(doc.items) != 1 or not isinstance(doc.items[0], Bracket):
            return doc
        if len(target) + len(flat(doc)) + 8 <= WIDTH:
            return doc
        self.hands.append(Expression(doc.prefix + doc.suffix))
        name = self.flow()
        self.hands.pop()
        self.put(name, Expression(doc.items[0], typed=False))
        return Bracket(doc.prefix, (name,), doc.suffix)

    def annotate(self, name: str) -> None:
        """Declares a variable where it is first assigned."""

        def first(stmts: list[Stmt]) -> bool:
            for i, stmt in enumerate(stmts):
                if isinstance(stmt, Line) and isinstance(stmt.doc, Prefixed):
                    if stmt.doc.text == f"{name} = ":
                        stmts[i] = Line(Prefixed(f"{name}: Tensor = ", stmt.doc.doc), stmt.comment)
                        return True
                    if stmt.doc.text.startswith(f"{name}, "):  # one of several
                        stmts.insert(i, Line(f"{name}: Tensor"))
                        return True
                if isinstance(stmt, Block):
                    inner = list(stmt.body)
                    if first(inner):
                        stmts[i] = Block(stmt.header, tuple(inner))
                        return True
            return False

        first(self.out)
        self.annotated.add(name)
        self.untyped.discard(name)

    def shape(self, value: Value) -> str:
        say = self.constructor.variables.copy().say  # a comment is no code
        return f"[{', '.join(say(dim) if isinstance(dim, int) else str(dim) for dim in value.shape)}]"

    def free(self, name: str) -> bool:
        """Whether nobody needs what a variable holds."""
        holder = self.holder.get(name)
        if holder is not None and (self.left[holder] > 0 or holder in self.kept):
            return False
        return not any(name in each.reads for each in (*self.waiting.values(), *self.hands, *self.around))

    def flow(self) -> str:
        return next(name for name in chain(FLOW, (f"x{i}" for i in count(2))) if self.free(name))

    def label(self, value: Value) -> str:
        """The variable of a value that is kept: the author's label, or a flow name."""
        if value in self.given:
            return self.given[value]
        result = self.results.get(value)
        wanted = (result.name if result is not None else None) or value.label
        return self.flow() if wanted is None else self.named(wanted)

    def named(self, wanted: str) -> str:
        """A variable that may be assigned, by a name of the spec."""
        name = python_name(wanted, self.classes.reserved)
        while not self.free(name):
            name = python_name(name + "_", self.classes.reserved)
        return name


def _first(each: Expression) -> int:
    return each.ran[0] if each.ran is not None else -1


def _last(each: Expression) -> int:
    return each.ran[1] if each.ran is not None else -1
