// The report's data, with what is looked up often: parents, addresses, paths.

const data = JSON.parse(find("data").textContent);
const layers = data.layers;
const parts = new Map(); // id → part; each knows the part it stands in (`up`), its `address` and its `level`
const home = new Map(); // index of a layer → the part that shows it, and which line of it: a block before what is inside

function register(list, up) {
  list.forEach((part, i) => {
    part.up = up;
    part.address = up ? [...up.address, i] : [i];
    part.level = up ? up.level + (up.kind === "block" ? 1 : 0) : 1;
    parts.set(part.id, part);
    part.labels.forEach((label, line) => {
      if (label.layer !== null && !home.has(label.layer)) home.set(label.layer, { part, line });
    });
    register(part.parts, part);
  });
}

register(data.parts, null);
layers.forEach((layer, i) => {
  const parent = layer.parent === null ? null : layers[layer.parent];
  layer.index = i;
  layer.inside = [];
  layer.path = parent ? [...parent.path, layer.name] : [layer.name];
  layer.dotted = layer.path.join(".");
  layer.text = `${layer.dotted} ${layer.what} ${layer.gives.map((shape) => shape.here)} ${layer.family}`.toLowerCase();
  if (parent) parent.inside.push(layer);
});

function ancestors(part) {
  const found = [];
  for (let up = part.up; up; up = up.up) found.unshift(up);
  return found;
}

function find(id) {
  return document.getElementById(id);
}

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function shape(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const POWERS = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
];
const BYTES = [
  [1e12, "TB"],
  [1e9, "GB"],
  [1e6, "MB"],
  [1e3, "KB"],
];

// 9,536 and 118.0 M: in full below a million.
function counted(number, digits = 1) {
  const [power, suffix] = POWERS.find(([least]) => number >= least) || [1, ""];
  return suffix ? `${(number / power).toFixed(digits)} ${suffix}` : number.toLocaleString("en");
}

function inBytes(number) {
  const [power, suffix] = BYTES.find(([least]) => number >= least) || [1, "B"];
  return `${power === 1 ? number : (number / power).toFixed(1)} ${suffix}`;
}
