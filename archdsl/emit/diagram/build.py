"""From a network to its picture.

Input: a network with its costs at a size, and what of it is to be opened. Output: a `Diagram`. A block or group is one
box until it is opened, then a frame. Layers that keep their input's shape and multiply nothing stand in the box of the
layer before. Without a depth, the deepest one that stays readable is taken, and beyond it each block is opened once,
where it first stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest

from archdsl.emit.diagram.fold import Step, runs
from archdsl.emit.diagram.model import Child, Cluster, Diagram, Edge, Line, Node
from archdsl.emit.diagram.words import caption, shape_text, tooltip
from archdsl.graph.model import Apply, Call, Item, Join, Network, Skip, TrainingOnly, Value, walk
from archdsl.passes.cost import Cost, outputs
from archdsl.passes.inplace import use_counts
from archdsl.passes.place import Application, Placed, place
from archdsl.passes.table import what_of

READABLE = 36  # boxes of a picture that nobody asked to be deeper
Path = tuple[str, ...]


@dataclass(frozen=True)
class View:
    """How much is opened: `depth` levels of blocks (None: what is readable), and the modules at these paths.

    `whole` opens everything and draws each turn of what is repeated, as a cluster in the cluster of the repetition: for
    those who fold it themselves.
    """

    depth: int | None = None
    open: tuple[Path, ...] = ()
    whole: bool = False


@dataclass(frozen=True)
class Origin:
    """What a line or a frame was made of: an application, and the calls that lead to it from the network."""

    calls: tuple[Call, ...]
    item: Application


def build(network: Network, cost: Cost, view: View | None = None) -> Diagram:
    """The picture of a network at the sizes of `cost`."""
    view = view or View()
    placed = place(network)
    if view.whole or view.depth is not None:
        return _Builder(network, cost, view, view.depth or 0, examples=False).diagram(placed)
    depth, boxes = 1, 0
    while True:
        deeper = len(_Builder(network, cost, View(), depth + 1, examples=False).diagram(placed).nodes)
        if deeper > READABLE or deeper == boxes:
            return _Builder(network, cost, view, depth, examples=True).diagram(placed)
        depth, boxes = depth + 1, deeper


@dataclass
class _Place:
    """Where drawing stands: in one scope, applied once. `boxes` says which box gives a value."""

    path: Path
    placed: Placed
    boxes: dict[Value, Node]
    uses: Counter[Value]
    training: bool
    calls: tuple[Call, ...] = ()
    last: Node | None = None  # the box that the next layer may join


class _Builder:
    def __init__(self, network: Network, cost: Cost, view: View, depth: int, *, examples: bool) -> None:
        self.network = network
        self.cost = cost
        self.trained = Cost(network, cost.sizes, training=True)
        self.view = view
        self.depth = depth
        self.examples = examples
        self.seen: set[str] = set()  # blocks that were opened
        self.whole: set[Path] = set()  # modules that are opened with the groups in them
        self.edges: list[Edge] = []
        self.labelled: set[tuple[str, tuple[int, ...]]] = set()
        self.made = 0
        self.frames: dict[Application, Cluster] = {}
        self.lines: dict[Application, tuple[Node, int]] = {}  # where an application stands that is a line in a box

    def diagram(self, placed: Placed) -> Diagram:
        scope = self.network.scope
        at = _Place((), placed, {}, use_counts(scope), False)
        children: list[Child] = []
        for name, value in zip(scope.input_names, scope.inputs, strict=True):
            device = placed.of[value] if scope.hinted else None
            call = "input" if device is None else f"input on gpu({device})"
            node = self.node(at, Line(name, call, "input", "", 0), None)
            node.device = device
            at.boxes[value.tensor] = node
            children.append(node)
        children += self.framed(self.children(scope.items, at))
        for result in scope.results:
            node = self.node(at, Line(result.name or "output", "", "output", "", 0), None)
            node.training = result.training
            self.edge(at, result.value, node)
            children.append(node)
        return Diagram(caption(self.network, self.cost, self.trained), children, self.edges)

    # --- steps ----------------------------------------------------------------------------------------------------

    def children(self, items: Sequence[Item], at: _Place) -> list[Child]:
        """The boxes and frames of a list of steps, what is repeated drawn once."""
        found: list[Child] = []
        for run in runs(items, at.uses, lambda step: self.leads(step, at)):
            first, *others = run.turns
            if others and self.view.whole:
                found.append(self.unrolled(run.turns, at))
                continue
            if others:
                at.last = None
            drawn = [child for step in first for child in self.step(step, at)]
            for other in others:
                self.same(first, other, at)
            if others:
                self.renamed(first, others[-1])
                found.append(self.repeated(drawn, len(run.turns)))
                at.last = None
            else:
                found += drawn
        return found

    def repeated(self, drawn: list[Child], times: int) -> Child:
        if len(drawn) == 1 and drawn[0].times == 1:
            drawn[0].times = times
            return drawn[0]
        return Cluster(self.fresh("r"), "", children=drawn, device=_device(drawn), times=times, turns=True)

    def unrolled(self, turns: Sequence[Sequence[Step]], at: _Place) -> Cluster:
        """A repetition with each of its turns."""
        drawn: list[Child] = []
        for turn in turns:
            at.last = None
            children = [child for step in turn for child in self.step(step, at)]
            drawn.append(Cluster(self.fresh("t"), "", children=children, device=_device(children), turn=True))
        at.last = None
        return Cluster(self.fresh("r"), "", children=drawn, device=_device(drawn), times=len(turns), turns=True)

    def same(self, first: Sequence[Step], other: Sequence[Step], at: _Place) -> None:
        """Lets what a later turn makes come from the boxes of the first."""
        for drawn, step in zip(walk(list(first)), walk(list(other)), strict=True):
            for mine, its in zip_longest(outputs(drawn), outputs(step)):
                at.boxes[its.tensor] = at.boxes[mine.tensor]

    def renamed(self, first: Sequence[Step], last: Sequence[Step]) -> None:
        """Gives what stands for several turns the names of the first and of the last."""
        for mine, its in zip(walk(list(first)), walk(list(last)), strict=True):
            if _name(mine) == _name(its):
                continue
            name = f"{_name(mine)} … {_name(its)}"
            if mine in self.lines:
                node, i = self.lines[mine]
                node.lines[i] = replace(node.lines[i], name=name)
            elif mine in self.frames:
                self.frames[mine].title = _title(mine, name)

    def step(self, step: Step, at: _Place) -> list[Child]:
        if isinstance(step, TrainingOnly):
            before, at.training, at.last = at.training, True, None
            drawn = self.children(step.items, at)
            at.training, at.last = before, None
            return drawn
        if isinstance(step, Apply):
            return self.layer(step, at)
        if isinstance(step, Call):
            return self.call(step, at)
        return self.join(step, at) if isinstance(step, Join) else self.skip(step, at)

    def layer(self, item: Apply, at: _Place) -> list[Child]:
        line = self.line(item, at, item.layer.family, 1)
        entering = [at.boxes[value.tensor] for value in item.inputs]
        if at.last is not None and entering == [at.last] and self.joins(item, at):
            at.last.lines.append(line)
            node, new = at.last, []
        else:
            node = self.node(at, line, item)
            new = [node]
            for value in dict.fromkeys(item.inputs):
                self.edge(at, value, node)
        for value in item.outputs:
            at.boxes[value.tensor] = node
        at.last = node
        self.lines[item] = (node, len(node.lines) - 1)
        return [*new]

    def joins(self, item: Apply, at: _Place) -> bool:
        """Whether a layer stands in the box of what it is applied to: it is all that follows there, and keeps shape."""
        value, device = item.inputs[0], at.placed.device[item]
        same = self.cost.shape(value.shape) == self.cost.shape(item.outputs[0].shape)
        here = at.last is not None and at.last.device in (None, device)
        return same and here and at.uses[value.tensor] == 1 and not self.trained.item_macs(item)

    def call(self, item: Call, at: _Place) -> list[Child]:
        path, at.last = (*at.path, item.module.name), None
        if not self.opens(item, path):
            node = self.node(at, self.line(item, at, "block", item.scope.layers), item)
            for value in dict.fromkeys(item.inputs):
                self.edge(at, value, node)
            for value in outputs(item) + list(item.exports.values()):
                at.boxes[value.tensor] = node
            self.lines[item] = (node, 0)
            return [node]
        scope = item.scope
        inner = _Place(path, at.placed.inner[item], {}, use_counts(scope), at.training, (*at.calls, item))
        for own, given in zip(scope.inputs, item.inputs, strict=True):
            inner.boxes[own.tensor] = at.boxes[given.tensor]
        line = self.line(item, at, "block", 0)
        cluster = Cluster(self.fresh("c"), "", line.tooltip, device=self.device(item, at), training=at.training)
        cluster.title, cluster.line = _title(item, line.name), line
        self.frames[item] = cluster
        children = self.children(scope.items, inner)
        cluster.children = children if cluster.device is not None else self.framed(children)
        for result, value in zip(scope.results, item.outputs, strict=True):
            at.boxes[value.tensor] = inner.boxes[result.value.tensor]
        for name, value in item.exports.items():
            at.boxes[value.tensor] = inner.boxes[scope.exports[name].tensor]
        return [cluster] if children else []

    def join(self, item: Join, at: _Place) -> list[Child]:
        drawn: list[Child] = []
        for branch in item.branches:
            at.last = None
            drawn += self.children(branch.items, at)
        if item.kind == "parallel":
            at.last = None
            return drawn
        node = self.node(at, self.line(item, at, "join", 0), item)
        for branch in item.branches:
            self.edge(at, branch.value, node)
        at.boxes[item.output.tensor] = at.last = node
        return [*drawn, node]

    def skip(self, item: Skip, at: _Place) -> list[Child]:
        at.last = None
        drawn = self.children(item.items, at)
        node = self.node(at, self.line(item, at, "join", 0), item)
        self.edge(at, item.body, node)
        at.last = None
        if item.projection is not None:
            drawn += self.children(item.projection.items, at)
            self.edge(at, item.projection.value, node, "skip")
        else:
            self.edge(at, item.source, node, "skip")
        at.boxes[item.output.tensor] = at.last = node
        return [*drawn, node]

    # --- what is opened -------------------------------------------------------------------------------------------

    def opens(self, item: Call, path: Path) -> bool:
        if self.view.whole:
            return True
        scope = item.scope
        opened = len(path) < self.depth or any(each[: len(path)] == path for each in self.view.open)
        whole = scope.kind == "group" and path[:-1] in self.whole
        example = scope.kind == "block" and self.examples and scope.name not in self.seen
        if not (opened or whole or example):
            return False
        if scope.kind == "block":
            self.seen.add(scope.name)
        if not opened or path in self.view.open:
            self.whole.add(path)
        return True

    def leads(self, step: Step, at: _Place) -> bool:
        """Whether a step holds a module that is to be opened, so that it is not folded away."""
        names = [(*at.path, each.module.name) for each in walk([step]) if isinstance(each, Call)]
        return any(each[: len(name)] == name for name in names for each in self.view.open)

    # --- pieces ---------------------------------------------------------------------------------------------------

    def fresh(self, kind: str) -> str:
        self.made += 1
        return f"{kind}{self.made}"

    def node(self, at: _Place, line: Line, item: Application | None) -> Node:
        device = self.device(item, at) if item is not None else None
        return Node(self.fresh("n"), [line], device, at.training)

    def device(self, item: Application, at: _Place) -> int | None:
        """The device that all of an application runs on, in a network that places anything."""
        if not self.network.scope.hinted:
            return None
        used = at.placed.inner[item].used if isinstance(item, Call) else {at.placed.device[item]}
        return next(iter(used)) if len(used) == 1 else None

    def line(self, item: Application, at: _Place, family: str, layers: int) -> Line:
        cost = self.trained if at.training else self.cost
        name = item.module.name if isinstance(item, (Apply, Call)) else item.output.label or ""
        path = ".".join((*at.path, name)) if name else ".".join(at.path)
        told = tooltip(item, path, cost, self.device(item, at))
        return Line(_name(item), what_of(item), family, told, layers, Origin(at.calls, item))

    def edge(self, at: _Place, value: Value, target: Node, kind: str = "flow") -> None:
        """An arrow to a box from the one that gives a value, with its shape where that was not said yet."""
        source = at.boxes[value.tensor]
        if value.companion is not None and any((e.source, e.target) == (source.id, target.id) for e in self.edges):
            return  # a pooling's indices and size go along one arrow
        moved = None not in (source.device, target.device) and source.device != target.device
        shape = self.cost.shape(value.shape)
        said = (source.id, shape) in self.labelled and not self.view.whole
        label = "" if said else shape_text(shape)
        self.labelled.add((source.id, shape))
        kind = "move" if moved else kind
        self.edges.append(Edge(source.id, target.id, label, kind, target.training or source.training))

    def framed(self, children: list[Child]) -> list[Child]:
        """Frames around neighbours on one device, where not all are on the same."""
        if len({child.device for child in children}) <= 1:
            return children
        found: list[Child] = []
        for device, group in groupby(children, key=lambda child: child.device):
            run = list(group)
            if device is None or all(isinstance(child, Cluster) for child in run):
                found += run
            else:
                found.append(Cluster(self.fresh("d"), "", children=run, device=device))
        return found


def _device(children: Sequence[Child]) -> int | None:
    """The device that all of them run on."""
    devices = {child.device for child in children}
    return devices.pop() if len(devices) == 1 else None


def _name(item: Application) -> str:
    """The name that its author gave it; empty if it has only a position."""
    if isinstance(item, (Join, Skip)):
        return item.output.label or ""
    group = isinstance(item, Call) and item.scope.kind == "group"
    return item.module.name if group or outputs(item)[0].label is not None else ""


def _title(item: Application, name: str) -> str:
    """What a frame is called: a group by its name, a block by its call too."""
    group = isinstance(item, Call) and item.scope.kind == "group"
    return name if group else " = ".join(filter(None, (name, what_of(item))))
