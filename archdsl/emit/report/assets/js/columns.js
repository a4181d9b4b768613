// The turns of a long repetition stand in columns side by side, so that 48 blocks are about as wide as high.

const LONG = 1400; // one that is higher, and four times as high as wide, is broken
const ALLEY = 44; // between two columns
const FOOT = 34; // below a column, for the arrow to the next one and its label
const HEAD = 22; // above a column, for the arrow that comes

// The geometry of a graph that is a single chain, in columns; any other, or a short one, as it is.
function inColumns(found, { sizes, arrows }) {
  const { nodes, edges, height } = found;
  if (height < LONG || height < 4 * found.width || nodes.length < 6 || !isChain(sizes, arrows)) return found;
  const count = Math.round(Math.sqrt(height / (found.width + ALLEY)));
  const most = height / count;
  const moves = []; // of each node: {x, y}
  const turns = []; // arrows that lead to a new column, by the index of the node that they lead to
  let [x, y, widest] = [0, 0, 0];
  nodes.forEach((node, i) => {
    const right = node.x + sizes[i][0];
    if (node.y + sizes[i][1] + y > most && node.y + y > nodes[0].y) {
      x += widest + ALLEY;
      y = nodes[0].y - node.y;
      widest = 0;
      turns[i] = x - ALLEY / 2;
    }
    widest = Math.max(widest, right);
    moves.push({ x, y });
  });
  const bottom = Math.max(...nodes.map((node, i) => node.y + sizes[i][1] + moves[i].y)) + FOOT;
  const chain = (i) => (typeof arrows[i][1] === "number" ? moves[arrows[i][1]] : moves[nodes.length - 1]);
  const placedEdges = edges.map((edge, i) => {
    const [source, target] = arrows[i];
    if (turns[target] !== undefined) return around(edge, moves[source], moves[target], turns[target], bottom);
    const there = moved(edge, chain(i).x, chain(i).y);
    if (typeof target !== "number") there.points[there.points.length - 1].y = bottom;
    return there;
  });
  return {
    width: x + widest,
    height: bottom,
    nodes: nodes.map((node, i) => ({ x: node.x + moves[i].x, y: node.y + moves[i].y })),
    edges: placedEdges,
    ins: found.ins,
    outs: found.outs.map((out) => out + x),
  };
}

// Whether each box has one arrow, to the next one.
function isChain(sizes, arrows) {
  const [one] = sizes;
  const straight = ([source, target]) =>
    (typeof source === "number" ? source : -1) + 1 === (typeof target === "number" ? target : sizes.length);
  return arrows.every(straight) && arrows.length === sizes.length - 1 + one[2] + one[3] && one[2] <= 1 && one[3] <= 1;
}

// An arrow from the foot of a column up to the head of the next one.
function around(edge, from, to, alley, bottom) {
  const [first, last] = [edge.points[0], edge.points[edge.points.length - 1]];
  const start = { x: first.x + from.x, y: first.y + from.y };
  const end = { x: last.x + to.x, y: last.y + to.y };
  const [low, high] = [bottom - 10, end.y - HEAD];
  const corners = [
    start,
    { x: start.x, y: low },
    { x: alley, y: low },
    { x: alley, y: high },
    { x: end.x, y: high },
    end,
  ];
  return { points: corners, corners: true, at: edge.at && { x: start.x, y: start.y + 12 } };
}

// A path along corners, each of them rounded.
function rounded(points) {
  const towards = (from, to, most) => {
    const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
    const part = Math.min(most, length / 2) / length;
    return `${from.x + (to.x - from.x) * part},${from.y + (to.y - from.y) * part}`;
  };
  const bends = points
    .slice(1, -1)
    .map((point, i) => `L${towards(point, points[i], 7)}Q${point.x},${point.y} ${towards(point, points[i + 2], 7)}`);
  const end = points[points.length - 1];
  return `M${points[0].x},${points[0].y}${bends.join("")}L${end.x},${end.y}`;
}
