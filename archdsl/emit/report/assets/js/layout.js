// Where everything stands: each frame is laid out on its own, from the inside out, and is a box to what is around it.
// An arrow that crosses a frame's border goes through a port there, so that no arrow runs through a box.

const GAP = { nodesep: 18, edgesep: 12, ranksep: 26, marginx: 0, marginy: 0 };
const PADDING = 14;
const placed = new Map(); // graphs that are laid out, by what decides it; equal blocks are laid out once

// The picture as nested frames: {part, width, height, children, edges, ins, outs}; the outermost has no part.
function layout() {
  const levels = new Map([[null, level(null, data.parts)]]);
  const collect = (list) => {
    for (const part of shown(list)) {
      if (!isFrame(part)) continue;
      levels.set(part, level(part, inside(part)));
      collect(inside(part));
    }
  };
  collect(data.parts);
  for (const link of links()) cross(link, levels);
  return arrange(null, levels);
}

const level = (part, list) => ({ part, parts: shown(list), edges: new Map() });

// Cuts an arrow at the borders that it crosses.
function cross(link, levels) {
  const [from, to] = [frames(link.source), frames(link.target)];
  let common = 0;
  while (common < from.length && from[common] === to[common]) common++;
  const port = `${link.source.id} ${link.shape}`;
  const add = (frame, edge) => {
    const edges = levels.get(frame).edges;
    const key = [edge.source, edge.target, edge.port].map((end) => (end && end.id) || end).join();
    if (!edges.has(key)) edges.set(key, { kind: link.kind, training: link.training, ...edge });
  };
  for (let i = from.length - 1; i >= common; i--) {
    add(from[i], { source: from[i + 1] || link.source, target: null, port });
  }
  add(from[common - 1] || null, {
    source: from[common] || link.source,
    target: to[common] || link.target,
    port,
    label: link.shape,
  });
  for (let i = common; i < to.length; i++) {
    add(to[i], { source: null, target: to[i + 1] || link.target, port });
  }
}

function arrange(frame, levels) {
  const { parts: inner, edges } = levels.get(frame);
  const children = inner.map((part) => (isFrame(part) ? arrange(part, levels) : { part, ...boxSize(part) }));
  const index = new Map(children.map((child, i) => [child.part, i]));
  const graph = graphOf(children, [...edges.values()], index);
  const key = JSON.stringify([graph.sizes, graph.arrows]);
  if (!placed.has(key)) placed.set(key, solve(graph));
  const found = frame && frame.kind === "repeat" ? inColumns(placed.get(key), graph) : placed.get(key);
  const least = frame ? headerWidth(frame) : 0;
  const [padding, top] = frame ? [PADDING, HEADER - 4] : [24, 24];
  const total = Math.max(found.width + 2 * padding, least);
  const shift = (total - found.width) / 2;
  children.forEach((child, i) => Object.assign(child, { x: found.nodes[i].x + shift, y: found.nodes[i].y + top }));
  const height = found.height + top + (frame ? (graph.outs.length ? 0 : padding) : padding);
  const ports = (names, at) => new Map(names.map((name, i) => [name, at[i] + shift]));
  return {
    part: frame,
    width: total,
    height,
    children,
    edges: graph.edges.map((edge, i) => ({ ...edge, ...moved(found.edges[i], shift, top) })),
    ins: ports(graph.ins, found.ins),
    outs: ports(graph.outs, found.outs),
  };
}

const moved = (edge, x, y) => ({
  ...edge,
  points: edge.points.map((point) => ({ x: point.x + x, y: point.y + y })),
  at: edge.at && { x: edge.at.x + x, y: edge.at.y + y },
});

// A graph in numbers: sizes of the boxes with their ports, and arrows between indices; an end that is a port has a name.
function graphOf(children, edges, index) {
  const [ins, outs, said] = [[], [], new Set()];
  const number = (list, name) => (list.includes(name) ? list.indexOf(name) : list.push(name) - 1);
  const arrows = edges.map((edge) => {
    const source = edge.source ? index.get(edge.source) : `in${number(ins, edge.port)}`;
    const target = edge.target ? index.get(edge.target) : `out${number(outs, edge.port)}`;
    if (edge.label && said.has(edge.port)) edge = { ...edge, label: "" };
    if (edge.label) said.add(edge.port);
    const leaves = edge.source && children[source].outs ? children[source].outs.get(edge.port) : null;
    const enters = edge.target && children[target].ins ? children[target].ins.get(edge.port) : null;
    return [
      source,
      target,
      edge.kind,
      edge.label ? Math.ceil(width(edge.label, { size: 11 })) + 8 : 0,
      leaves,
      enters,
      edge,
    ];
  });
  return {
    sizes: children.map((child) => [child.width, child.height, ins.length, outs.length]),
    arrows: arrows.map((arrow) => arrow.slice(0, 6)),
    edges: arrows.map((arrow) => arrow[6]),
    ins,
    outs,
  };
}

function solve({ sizes, arrows, ins, outs }) {
  const graph = new dagre.graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "TB", ...GAP });
  sizes.forEach(([w, h], i) => graph.setNode(String(i), { width: w, height: h }));
  pin(
    graph,
    ins.map((_, i) => `in${i}`),
    "top",
  );
  pin(
    graph,
    outs.map((_, i) => `out${i}`),
    "bottom",
  );
  arrows.forEach(([source, target, kind, label], i) => {
    const weight = kind === "skip" ? 1 : 3; // what is not skipped is to be straight
    const size = label ? { width: label, height: 14, labelpos: "c" } : { width: 0, height: 0 };
    graph.setEdge(String(source), String(target), { weight, ...size }, String(i));
  });
  dagre.layout(graph);
  if (mirrored(graph, sizes.length, ins, outs)) mirror(graph);
  return measured(graph, sizes, arrows, ins, outs);
}

// Ports stand at the border: several are held together by a node that is cut off again.
function pin(graph, ports, holder) {
  ports.forEach((port) => graph.setNode(port, { width: 8, height: 0 }));
  if (ports.length < 2) return;
  graph.setNode(holder, { width: 1, height: 0 });
  for (const port of ports) {
    const ends = holder === "top" ? [holder, port] : [port, holder];
    graph.setEdge(...ends, { weight: 50, width: 0, height: 0 }, `${holder} ${port}`);
  }
}

// Whether boxes side by side mostly stand in the reverse of their order in the spec; where there are none, the ports.
function mirrored(graph, count, ins, outs) {
  const names = (list, prefix) => list.map((_, i) => `${prefix}${i}`);
  const boxes = turned(graph, names([...Array(count)], ""));
  return (boxes || turned(graph, names(ins, "in")) + turned(graph, names(outs, "out"))) > 0;
}

function turned(graph, names) {
  let pairs = 0;
  names.forEach((name, i) => {
    for (const later of names.slice(i + 1)) {
      const [one, other] = [graph.node(name), graph.node(later)];
      if (one.y === other.y) pairs += Math.sign(one.x - other.x);
    }
  });
  return pairs;
}

function mirror(graph) {
  for (const name of graph.nodes()) graph.node(name).x *= -1;
  for (const name of graph.edges()) {
    const edge = graph.edge(name);
    if (edge.x !== undefined) edge.x *= -1;
    for (const point of edge.points) point.x *= -1;
  }
}

// Coordinates from the upper left corner of what is drawn.
function measured(graph, sizes, arrows, ins, outs) {
  const real = sizes.map((_, i) => graph.node(String(i)));
  const ports = [...ins.map((_, i) => graph.node(`in${i}`)), ...outs.map((_, i) => graph.node(`out${i}`))];
  const edges = arrows.map(([source, target], i) => graph.edge(String(source), String(target), String(i)));
  const halves = new Map(); // half the height of each rank, by its middle
  const grow = (y, half) => halves.set(Math.round(y), Math.max(half, halves.get(Math.round(y)) || 0));
  real.forEach((node) => grow(node.y, node.height / 2));
  edges.forEach((edge) => edge.width && grow(edge.y, edge.height / 2));
  const spans = [
    ...real.map((node) => [
      node.x - node.width / 2,
      node.x + node.width / 2,
      node.y - node.height / 2,
      node.y + node.height / 2,
    ]),
    ...ports.map((node) => [node.x - 4, node.x + 4, node.y, node.y]),
    ...edges.flatMap((edge) => edge.points.slice(1, -1).map((point) => [point.x - 2, point.x + 2, point.y, point.y])),
    ...edges
      .filter((edge) => edge.width)
      .map((edge) => [edge.x - edge.width / 2, edge.x + edge.width / 2, edge.y, edge.y]),
  ];
  const [left, top] = [0, 2].map((side) => Math.min(...spans.map((span) => span[side])));
  const [right, bottom] = [1, 3].map((side) => Math.max(...spans.map((span) => span[side])));
  for (const [names, prefix] of [
    [ins, "in"],
    [outs, "out"],
  ]) {
    // a single port is in the middle, so that chains are straight
    if (names.length === 1) graph.node(`${prefix}0`).x = (left + right) / 2;
  }
  const x = (value) => value - left;
  const y = (value) => value - top;
  return {
    width: right - left,
    height: bottom - top,
    nodes: real.map((node) => ({ x: x(node.x - node.width / 2), y: y(node.y - node.height / 2) })),
    ins: ins.map((_, i) => x(graph.node(`in${i}`).x)),
    outs: outs.map((_, i) => x(graph.node(`out${i}`).x)),
    edges: edges.map((edge, i) => ({
      points: route(graph, arrows[i], edge, halves).map((point) => ({ x: x(point.x), y: y(point.y) })),
      at: edge.width ? { x: x(edge.x), y: y(edge.y) } : null,
    })),
  };
}

// The points of an arrow: its ends on the borders of its boxes, and along each rank that it passes straight down, since
// boxes there may be higher than the one that it leaves or enters. Only between two ranks does it go aside.
function route(graph, [source, target, , , leaves, enters], edge, halves) {
  const middle = edge.points.slice(1, -1);
  const half = ({ y }) => halves.get(Math.round(y)) || 0;
  const [first, last] = [graph.node(String(source)), graph.node(String(target))];
  const start = end(first, leaves, (middle[0] || last).x);
  const finish = end(last, enters, (middle[middle.length - 1] || first).x);
  return [
    { x: start, y: first.y + first.height / 2 },
    { x: start, y: first.y + half(first) },
    ...middle.flatMap((point) => [-1, 1].map((side) => ({ x: point.x, y: point.y + side * half(point) }))),
    { x: finish, y: last.y - half(last) },
    { x: finish, y: last.y - last.height / 2 },
  ];
}

// Where an arrow meets a box: at its port, or as near as may be to where it comes from or goes to.
function end(node, port, towards) {
  if (port !== null) return node.x - node.width / 2 + port;
  const reach = Math.max(0, node.width / 2 - 14);
  return Math.min(Math.max(towards, node.x - reach), node.x + reach);
}
