"""What becomes of each layer in the fully convolutional form: Long et al., 2015, section 3.1.

Input: a typed graph. Output: the steps of the spec that change, with the text that takes their place. A vector is
followed from the `flatten` that made it, as the map that it stands for at the typical size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from archdsl.graph.model import Apply, Call, Join, Network, Scope, Skip, Value, walk
from archdsl.layers.base import Form, Ints
from archdsl.passes.cost import Cost
from archdsl.source import Span


@dataclass(frozen=True)
class State:
    """What is known of a value: the map that it stands for if it is a vector, the flattenings that it comes from, and
    for a map the pooling that it comes from."""

    flat: Ints | None = None
    origins: frozenset[Apply] = frozenset()
    pooling: Apply | None = None


class CannotConvert(Exception):
    """A network, or a layer of it, has no fully convolutional form: a message, and where."""

    def __init__(self, message: str, span: Span) -> None:
        super().__init__(message)
        self.message, self.span = message, span


@dataclass
class Forms:
    """Follows the values of a network, scope by scope."""

    network: Network
    texts: dict[Span, set[str | None]] = field(default_factory=dict)  # of each step, in all its places
    names: dict[Span, set[str]] = field(default_factory=dict)  # of the modules of dense layers that have one
    plain: set[Span] = field(default_factory=set)  # steps whose place counts in the names of others
    dense: set[Apply] = field(default_factory=set)  # flattenings before a dense layer
    before: dict[Apply, Apply | None] = field(default_factory=dict)  # each flattening's pooling
    vectors: dict[Span, frozenset[Apply]] = field(default_factory=dict)  # steps that give one, and where it began
    stuck: list[tuple[Apply | Join | Skip, frozenset[Apply]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cost = Cost(self.network)

    def changes(self) -> dict[Span, str]:
        """The text of every step that changes. Raises CannotConvert."""
        self._scope(self.network.scope, [State()] * len(self.network.scope.inputs))
        for item, origins in self.stuck:
            if origins & self.dense or (origins and not self.dense):
                what = f"`{item.layer.name}`" if isinstance(item, Apply) else "what joins these vectors"
                raise CannotConvert(f"{what} has no fully convolutional form", item.span)
        if not self.dense:
            raise CannotConvert("there is no dense layer after a `flatten` to convert", self.network.scope.span)
        dropped = {flatten.span for flatten in self.dense}
        for flatten in self.dense:
            pooling = self.before[flatten]
            if pooling is not None:
                form = self._form(pooling, None)
                if form is None:
                    message = f"`{pooling.layer.name}` changes the size of what is flattened, no convolution does"
                    raise CannotConvert(message, pooling.span)
                self.texts[pooling.span] = {form.call}
        found: dict[Span, str] = {}
        for span, texts in self.texts.items():
            kept = texts if span not in self._flattens() or span in dropped else {None}
            if len(kept) > 1:
                raise CannotConvert("this would become something else in each place where it is applied", span)
            (text,) = kept
            if text is not None:
                found[span] = text
        return found

    def _flattens(self) -> set[Span]:
        return {flatten.span for flatten in self.before}

    def _scope(self, scope: Scope, inputs: Sequence[State]) -> dict[Value, State]:
        states = {value.tensor: state for value, state in zip(scope.inputs, inputs, strict=True)}
        for item in walk(scope.items):
            if isinstance(item, Apply):
                self._apply(scope, item, states)
            elif isinstance(item, Call):
                inner = self._scope(item.scope, [states[value.tensor] for value in item.inputs])
                for result, outer in zip(item.scope.results, item.outputs, strict=True):
                    states[outer.tensor] = inner[result.value.tensor]
                for key, outer in item.exports.items():
                    states[outer.tensor] = inner[item.scope.exports[key].tensor]
            elif isinstance(item, Join) and item.kind == "parallel":
                continue  # its branches are values as they are
            elif isinstance(item, Join):
                states[item.output.tensor] = self._joined(
                    item, item.kind, [states[branch.value.tensor] for branch in item.branches]
                )
            else:
                side = item.source if item.projection is None else item.projection.value
                kind = "concat" if item.kind == "dense" else "add"
                states[item.output.tensor] = self._joined(item, kind, [states[side.tensor], states[item.body.tensor]])
        return states

    def _apply(self, scope: Scope, item: Apply, states: dict[Value, State]) -> None:
        inputs = [states[value.tensor] for value in item.inputs if value.tensor in states]
        state = inputs[0] if inputs else State()
        form = None if any(other.flat is not None for other in inputs[1:]) else self._form(item, state.flat)
        is_pooling = state.flat is None and (form is None or (form.call is not None and form.flat is None))
        if form is None and not is_pooling:
            self.stuck.append((item, frozenset().union(*(each.origins for each in inputs))))
        form = form or Form()
        if scope.plain:
            self.plain.add(item.span)
        converted = state.flat is not None and bool(form.call)
        if converted:
            self.dense |= state.origins
            if not scope.plain:
                self.names.setdefault(item.span, set()).add(item.module.name)
        made_flat = state.flat is None and form.flat is not None
        if made_flat:
            self.before[item] = state.pooling
        self.texts.setdefault(item.span, set()).add(None if is_pooling else form.call)
        origins = frozenset((item,)) if made_flat else state.origins if form.flat is not None else frozenset()
        pooling = item if is_pooling else state.pooling if self._same_size(item) else None
        if form.flat is not None:
            self.vectors[item.span] = origins
        for value in item.outputs:
            states[value.tensor] = State(form.flat, origins, pooling)

    def becomes_a_map(self, step: Span) -> bool:
        """Whether a step gives a vector that is a map in the fully convolutional form."""
        return bool(self.vectors.get(step, frozenset()) & self.dense)

    def _form(self, item: Apply, flat: Ints | None) -> Form | None:
        given = {name: node.span.text for name, node in item.sources.items()}
        x = self.cost.shape(item.inputs[0].shape)
        return item.layer.convolutional(x, flat, given)

    def _same_size(self, item: Apply) -> bool:
        return item.inputs[0].shape == item.outputs[0].shape and not item.module.weights

    def _joined(self, item: Join | Skip, kind: str, states: Sequence[State]) -> State:
        """Vectors that are joined become maps that are; several of more than one position cannot be put in a row."""
        flats = [state.flat for state in states]
        known = [flat for flat in flats if flat is not None]
        origins = frozenset().union(*(state.origins for state in states))
        if not known:
            return State()
        if len(known) == len(flats) and kind == "concat" and all(set(flat[1:]) == {1} for flat in known):
            return State((sum(flat[0] for flat in known), *known[0][1:]), origins)
        if len(known) == len(flats) and kind != "concat" and len(set(known)) == 1:
            return State(known[0], origins)
        self.stuck.append((item, origins))
        return State(None, origins)
