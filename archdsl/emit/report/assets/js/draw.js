// From the layout to SVG. All text of a spec goes in as text nodes.

const picture = find("picture");
const drawn = new Map(); // part → where it stands in the picture, and its element
let extent = { x: 0, y: 0, width: 1, height: 1 };

function draw() {
  const top = layout();
  extent = { x: 0, y: 0, width: top.width, height: top.height };
  drawn.clear();
  picture.replaceChildren(arrowheads(), level0(top));
}

function level0(top) {
  const group = shape("g", { class: "top" });
  fill(group, top, 0, 0);
  return group;
}

// The children of a frame, then its arrows, then their labels on top of all.
function fill(group, frame, x, y) {
  for (const child of frame.children) {
    const at = { x: x + child.x, y: y + child.y };
    const made = child.children ? frameElement(child, at) : boxElement(child, at);
    drawn.set(child.part, { ...at, width: child.width, height: child.height, element: made });
    group.append(made);
  }
  for (const edge of frame.edges) group.append(arrow(edge, x, y));
  for (const edge of frame.edges) if (edge.label) group.append(shapeLabel(edge, x, y));
}

function arrowheads() {
  const heads = ["flow", "skip", "move"].map((kind) =>
    shape(
      "marker",
      {
        id: `head-${kind}`,
        class: `head ${kind}`,
        viewBox: "0 0 8 8",
        refX: 7,
        refY: 4,
        markerWidth: 8,
        markerHeight: 8,
        markerUnits: "userSpaceOnUse",
        orient: "auto",
      },
      shape("path", { d: "M0,0.5 L8,4 L0,7.5 z" }),
    ),
  );
  return shape("defs", {}, ...heads);
}

function arrow(edge, x, y) {
  const points = distinct(edge.points).map((point) => ({ x: x + point.x, y: y + point.y }));
  const attributes = {
    d: edge.corners ? rounded(points) : curved(points),
    class: `arrow ${edge.kind}${edge.training ? " training" : ""}`,
  };
  if (edge.target) attributes["marker-end"] = `url(#head-${edge.kind})`;
  return shape("path", attributes);
}

// A path's points without those that lie on the one before: an arrowhead at a step of no length has no direction.
const distinct = (points) =>
  points.filter((point, i) => !i || Math.hypot(point.x - points[i - 1].x, point.y - points[i - 1].y) > 0.01);

// A path that leaves and enters each of its points downwards.
function curved([start, ...rest]) {
  let [path, from] = [`M${start.x},${start.y}`, start];
  for (const point of rest) {
    const bend = (from.y + point.y) / 2;
    const [aside, down] = [point.x - from.x, point.y - from.y];
    if (Math.abs(aside) < 0.5) path += `L${point.x},${point.y}`;
    else if (Math.abs(aside) < 3 * down) path += `C${from.x},${bend} ${point.x},${bend} ${point.x},${point.y}`;
    else path += step(from, point, Math.sign(aside) * Math.min(8, down / 2));
    from = point;
  }
  return path;
}

// Down, far to the side, and down again: a curve would be a slanted line.
function step(from, to, radius) {
  const middle = (from.y + to.y) / 2;
  return `Q${from.x},${middle} ${from.x + radius},${middle}L${to.x - radius},${middle}Q${to.x},${middle} ${to.x},${to.y}`;
}

const shapeLabel = (edge, x, y) =>
  shape("text", { class: "shape", x: x + edge.at.x, y: y + edge.at.y + 3.5, "text-anchor": "middle" }, edge.label);

// --- frames and boxes ------------------------------------------------------------------------------------------------

function frameElement(frame, { x, y }) {
  const { part } = frame;
  const kinds = [part.kind, part.training ? "training" : "", part.device === null ? "" : `tint${part.device % 4}`];
  const group = shape("g", { class: `frame ${kinds.join(" ")}`, "data-part": part.id });
  group.append(shape("rect", { class: "border", x, y, width: frame.width, height: frame.height, rx: 6 }));
  if (part.kind === "block") group.append(pick(part, 0, { x, y, width: frame.width, height: HEADER }));
  let right = x + 10;
  for (const word of header(part)) {
    group.append(text(right, y + 17, word.text, word.bold));
    right += width(word.text, word) + 10;
  }
  if (part.kind !== "device") group.append(toggle(part, x + frame.width - 21, y + 5));
  const repeat = repetition(part);
  if (repeat) group.append(turner(repeat, badgePlace(part, x, y)));
  fill(group, frame, x, y);
  return group;
}

// Where the header of an opened block says how often it stands.
function badgePlace(part, x, y) {
  const said = header(part);
  const at = said.findIndex((word) => word.text === badge(repetition(part)));
  const before = said.slice(0, at).reduce((sum, word) => sum + width(word.text, word) + 10, 0);
  return { x: x + 10 + before - 4, y: y + 5, width: width(badge(repetition(part)), { bold: true }) + 8, height: 16 };
}

function boxElement(box, { x, y }) {
  const { part } = box;
  const group = shape("g", { class: `box ${part.kind}${part.training ? " training" : ""}`, "data-part": part.id });
  const tint = part.device === null ? "" : ` tint${part.device % 4}`;
  const free = box.width - badgeWidth(part);
  if (part.kind === "block") {
    group.append(shape("rect", { class: `body${tint}`, x, y, width: box.width, height: box.height, rx: 5 }));
    blockWords(group, part, box, { x, y });
    group.append(pick(part, 0, { x, y, width: free, height: box.height }));
    group.append(toggle(part, x + free - 22, y + box.height / 2 - 8));
  } else {
    words(part).forEach((line, i) => group.append(lineElement(part, line, i, { x, y: y + i * LINE, width: free })));
    group.append(shape("rect", { class: "border", x, y, width: box.width, height: box.height, rx: round(part) }));
  }
  const repeat = repetition(part);
  if (repeat) group.append(turner(repeat, { x: x + free, y, width: box.width - free, height: box.height }));
  return group;
}

const PLAIN = ["input", "output", "join"];
const round = (part) => (part.labels.length === 1 && PLAIN.includes(part.labels[0].family) ? LINE / 2 : 3);

function blockWords(group, part, box, { x, y }) {
  const [line] = words(part);
  const both = line.name && line.call;
  if (line.name) group.append(text(x + 12, y + (both ? 17 : 19), line.name, true));
  if (line.call) group.append(text(x + 12, y + (both ? 33 : 19), line.call));
}

function lineElement(part, line, i, { x, y, width: wide }) {
  const group = shape("g", { class: "line" });
  const colour = data.colours[line.family];
  const attributes = {
    class: colour ? "body family" : "body",
    x,
    y,
    width: wide,
    height: LINE,
    rx: colour ? 0 : round(part),
  };
  const body = shape("rect", colour ? { ...attributes, fill: colour } : attributes);
  group.append(body);
  const start = x + 11;
  if (line.name) group.append(text(start, y + 16, line.name, true, colour));
  const after = line.name ? start + width(line.name, { bold: true }) + 8 : start;
  if (line.call) group.append(text(after, y + 16, line.call, false, colour, PLAIN.includes(line.family)));
  if (part.training && !i && !insideTraining(part)) {
    const note = text(x + wide - 8, y + 15.5, "training", false, colour, true);
    note.setAttribute("text-anchor", "end");
    note.classList.add("note");
    group.append(note);
  }
  group.append(pick(part, i, { x, y, width: wide, height: LINE }));
  return group;
}

function text(x, y, said, bold = false, colour = "", slanted = false) {
  const kinds = [bold ? "bold" : "", colour ? "on-family" : "", slanted ? "slanted" : ""].filter(Boolean);
  return shape("text", { x, y, class: kinds.join(" ") }, said);
}

// What is clicked to choose a layer: it lies over its line, and shows that it is chosen.
function pick(part, line, place) {
  const label = part.labels[line];
  const rect = shape("rect", { ...place, class: "pick", rx: 3 }, shape("title", {}, label.tip || label.name));
  if (label.layer !== null) rect.dataset.layer = label.layer;
  return rect;
}

function toggle(part, x, y) {
  const open = isOpen(part);
  const does = `${open ? "Fold" : "Open"} ${part.kind === "block" ? named(part, 0) || part.labels[0].call : "the turns"}`;
  const group = shape("g", { class: "toggle", "data-toggle": part.id, role: "button", "aria-expanded": open });
  group.append(
    shape("rect", { x, y, width: 16, height: 16, rx: 4 }),
    shape("path", { d: `M${x + 4},${y + 8}h8${open ? "" : `m-4,-4v8`}` }),
    shape("title", {}, does),
  );
  return group;
}

// The `× 35` of what is drawn once; a click shows each.
function turner(repeat, place) {
  const group = shape("g", { class: "badge", "data-toggle": repeat.id, role: "button", "aria-expanded": "false" });
  group.append(
    shape("rect", { ...place, rx: 4 }),
    shape(
      "text",
      { class: "bold", x: place.x + place.width / 2, y: place.y + place.height / 2 + 4, "text-anchor": "middle" },
      badge(repeat),
    ),
    shape("title", {}, `Show each of the ${repeat.parts.length}`),
  );
  return group;
}
