// The layer table: sorted by a column, searched, down to a level of blocks.

const body = find("layers");
const search = find("search");
const levels = find("levels");
const FEW = 60; // rows of a table that nobody asked to be longer
const dash = "–";
const order = { column: "layer", down: false };

const COLUMNS = [
  { id: "layer", title: "Layer", value: (layer) => layer.index },
  { id: "what", title: "What", value: (layer) => layer.what },
  {
    id: "output",
    title: "Output",
    value: (layer) => elements(layer),
    show: (layer) => layer.gives.map((s) => s.here).join(", "),
  },
  {
    id: "sees",
    title: "Sees",
    number: true,
    value: (layer) => (layer.field[0] ? layer.field[0].size : -1),
    show: (layer) => layer.sees.replaceAll("-", "–"),
    tip: "The receptive field: pixels along each axis of the first input",
  },
  {
    id: "params",
    title: "Params",
    number: true,
    value: (layer) => layer.params,
    show: (layer) => layer.params.toLocaleString("en"),
  },
  { id: "macs", title: "MACs", number: true, value: (layer) => layer.macs, show: (layer) => counted(layer.macs) },
  {
    id: "memory",
    title: "Memory",
    number: true,
    value: (layer) => layer.made,
    show: (layer) => inBytes(layer.made),
    tip: "Activations that it makes anew, for one item",
  },
  ...(data.placed
    ? [
        {
          id: "device",
          title: "GPU",
          number: true,
          value: (layer) => layer.devices[0],
          show: (layer) => layer.devices.join(", "),
        },
      ]
    : []),
];

const elements = (layer) =>
  layer.gives.reduce((sum, s) => sum + s.here.split("×").reduce((all, n) => all * Number(n), 1), 0);
const MOST_OF = Object.fromEntries(
  ["params", "macs", "made"].map((key) => [key, Math.max(1, ...layers.map((layer) => layer[key]))]),
);
const rowOf = layers.map(row);

function row(layer) {
  const made = element("tr", { tabindex: "-1", "data-row": layer.index });
  for (const column of COLUMNS) {
    const cell = element("td", { class: column.number ? "number" : column.id });
    if (column.show)
      cell.append(column.number && !column.value(layer) && column.id !== "device" ? dash : column.show(layer));
    else if (column.id === "what") cell.append(element("span", {}, layer.what));
    made.append(cell);
  }
  const [first, second] = made.children;
  second.title = layer.what;
  const swatch = element("i", { class: "swatch" });
  swatch.style.background = data.colours[layer.family] || "";
  first.append(swatch, element("span", { class: "name" }));
  const notes = [layer.training ? "training" : "", layer.again ? "shared" : ""].filter(Boolean);
  if (notes.length) first.append(element("small", {}, notes.join(", ")));
  return made;
}

const inTree = () => order.column === "layer" && !order.down && !search.value.trim();

// Sizes are shown as 64×56 and typed as 64x56.
const plain = (text) => text.trim().toLowerCase().replaceAll("×", "x");

// The layers to show, in the order of the table. A search looks at all levels.
function listed() {
  const wanted = plain(search.value).split(/\s+/).filter(Boolean);
  const deep = Number(levels.value);
  const found = layers.filter((layer) =>
    wanted.length
      ? wanted.every((word) => plain(layer.text).includes(word))
      : layer.path.length <= deep || layer.index === chosen,
  );
  const { value } = COLUMNS.find((column) => column.id === order.column);
  const compare = (a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0);
  return found.sort((a, b) => (order.down ? compare(b, a) : compare(a, b)) || a.index - b.index);
}

function nothing() {
  const row = document.createElement("tr");
  const cell = row.insertCell();
  cell.colSpan = COLUMNS.length;
  cell.textContent = "No layer has all of these words.";
  return row;
}

function fillTable() {
  const found = listed();
  const tree = inTree();
  for (const layer of found) {
    const name = rowOf[layer.index].querySelector(".name");
    name.textContent = tree ? layer.name : layer.dotted;
    name.style.paddingLeft = tree ? `${(layer.path.length - 1) * 14}px` : "";
    name.title = layer.dotted;
  }
  body.replaceChildren(...(found.length ? found.map((layer) => rowOf[layer.index]) : [nothing()]));
  find("count").textContent = `${found.length.toLocaleString("en")} of ${layers.length.toLocaleString("en")}`;
  for (const head of document.querySelectorAll("#columns th")) {
    const sorted = head.dataset.column === order.column;
    head.setAttribute("aria-sort", !sorted ? "none" : order.down ? "descending" : "ascending");
  }
  reachable();
}

// One row of the table is reached by the tab key: the chosen one, or the first.
function reachable() {
  const rows = [...body.children];
  const one = rows.find((each) => each.classList.contains("chosen")) || rows[0];
  rows.forEach((each) => {
    each.tabIndex = each === one ? 0 : -1;
  });
}

function sortBy(column) {
  const again = order.column === column.id;
  order.down = again ? !order.down : Boolean(column.number);
  order.column = column.id;
  listAnew();
}

// Another list is read from its top.
function listAnew() {
  fillTable();
  find("rows").scrollTop = 0;
}

function makeTable() {
  for (const column of COLUMNS) {
    const button = element(
      "button",
      { type: "button", title: column.tip || `Sort by ${column.title.toLowerCase()}` },
      column.title,
    );
    button.addEventListener("click", () => sortBy(column));
    const head = element(
      "th",
      { scope: "col", "data-column": column.id, class: column.number ? "number" : column.id },
      button,
    );
    find("columns").append(head);
  }
  const deepest = Math.max(1, ...layers.map((layer) => layer.path.length));
  for (let i = 1; i <= deepest; i++) levels.append(element("option", { value: i }, i === deepest ? "all" : String(i)));
  let most = 1;
  while (most < deepest && layers.filter((layer) => layer.path.length <= most + 1).length <= FEW) most++;
  levels.value = String(most);
  for (const layer of layers) bars(layer);
}

// A faint bar behind a number, for its share of the largest one.
function bars(layer) {
  for (const [column, key] of [
    ["params", "params"],
    ["macs", "macs"],
    ["memory", "made"],
  ]) {
    const cell = rowOf[layer.index].children[COLUMNS.findIndex((each) => each.id === column)];
    cell.style.setProperty("--share", `${(100 * layer[key]) / MOST_OF[key]}%`);
  }
}

body.addEventListener("click", (event) => {
  const found = event.target.closest("tr");
  if (found) choose(Number(found.dataset.row), { from: "table" });
});

body.addEventListener("keydown", (event) => {
  const rows = [...body.children];
  const at = rows.indexOf(event.target.closest("tr"));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, Enter: at, " ": at }[event.key];
  if (to === undefined || !rows[to]) return;
  event.preventDefault();
  choose(Number(rows[to].dataset.row), { from: "table" });
  rowOf[chosen].focus();
});

search.addEventListener("input", listAnew);
levels.addEventListener("change", fillTable);
