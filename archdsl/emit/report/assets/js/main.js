// The page: what is chosen, what the buttons and keys do.

let chosen = null; // the index of a layer

const find = (id) => document.getElementById(id);

// Chooses a layer, or none. From the table, the blocks that it stands in are open as long as it is chosen.
function choose(index, { from = "" } = {}) {
  const before = chosen;
  chosen = index;
  if (from && from !== "picture") peek(index);
  if (before !== null) rowOf[before].classList.remove("chosen");
  if (index !== null) rowOf[index].classList.add("chosen");
  if (from !== "table" || (before !== null && !body.contains(rowOf[index]))) fillTable();
  reachable();
  mark();
  showPanel(index === null ? null : layers[index]);
  if (index !== null && from !== "table") rowOf[index].scrollIntoView({ block: "nearest" });
  const place = drawn.get(standingFor(index));
  if (place && from && from !== "picture") go(showing(place));
}

function standingFor(index) {
  const at = index === null ? null : home.get(index);
  return at ? standing(at.part.address).part : null;
}

function peek(index) {
  const at = index === null ? null : home.get(index);
  const needed = at ? ancestors(at.part).filter((part) => part.kind === "block" && !opened.has(part.id)) : [];
  if (needed.length === peeked.size && needed.every((part) => peeked.has(part.id))) return;
  peeked.clear();
  needed.forEach((part) => peeked.add(twin(part).id));
  draw();
}

// The part that is drawn for one in a later turn of a folded repetition.
function twin(part) {
  let [list, found] = [data.parts, null];
  for (const place of part.address) {
    const folded = found && found.kind === "repeat" && !isOpen(found);
    found = list[folded ? 0 : place];
    list = found.parts;
  }
  return found;
}

// Marks the chosen layer in the picture, or the box that stands for it.
function mark() {
  for (const each of picture.querySelectorAll(".pick.chosen")) each.classList.remove("chosen");
  const part = standingFor(chosen);
  if (!part || !drawn.has(part)) return;
  const at = home.get(chosen);
  const picks = drawn.get(part).element.querySelectorAll(":scope > .pick, :scope > .line > .pick");
  const line = at.part.kind === part.kind ? at.line : 0;
  if (picks[line]) picks[line].classList.add("chosen");
}

// Draws anew after something was opened or folded, with a part where it was on the screen.
function redraw(anchor) {
  const before = anchor && drawn.get(anchor);
  draw();
  mark();
  const after = anchor && drawn.get(anchor);
  if (before && after) {
    const [x, y] = [after.x + after.width / 2 - before.x - before.width / 2, after.y - before.y];
    jump({ x: seen.x + x, y: seen.y + y });
  }
}

function flip(part) {
  const set = part.kind === "repeat" ? unrolled : opened;
  const open = isOpen(part);
  const anchor = drawn.has(part) ? part : part.parts[0] && part.parts[0].parts[0];
  if (open) {
    set.delete(part.id);
    peeked.delete(part.id);
  } else {
    set.add(part.id);
  }
  redraw(drawn.has(anchor) ? anchor : null);
}

picture.addEventListener("click", (event) => {
  if (dragged) return;
  const toggled = event.target.closest("[data-toggle]");
  const picked = event.target.closest("[data-layer]");
  if (toggled) flip(parts.get(toggled.dataset.toggle));
  else if (picked) choose(Number(picked.dataset.layer), { from: "picture" });
  else if (!event.target.closest("[data-part]")) choose(null);
});

picture.addEventListener("dblclick", (event) => {
  const group = event.target.closest("[data-part]");
  if (event.target.closest(".pick") && group && parts.get(group.dataset.part).kind === "block") flip(parts.get(group.dataset.part));
});

// --- keys ------------------------------------------------------------------------------------------------------------

// The next layer that the picture shows, in the order they run.
function walkPicture(step) {
  const visible = [...new Set([...picture.querySelectorAll("[data-layer]")].map((each) => Number(each.dataset.layer)))].sort((a, b) => a - b);
  const at = chosen === null ? (step > 0 ? -1 : visible.length) : visible.indexOf(chosen);
  const next = visible[at < 0 && chosen !== null ? 0 : at + step];
  if (next === undefined) return;
  choose(next, { from: "picture" });
  const place = drawn.get(standingFor(next));
  if (place) go(showing(place));
}

// Opens or folds the block that is chosen; folding inside of one goes out to it.
function turn(open) {
  const part = standingFor(chosen);
  if (!part) return;
  if (part.kind === "block" && isOpen(part) !== open) return flip(part);
  const outer = ancestors(part).filter((each) => each.kind === "block").pop();
  if (!open && outer) choose(outer.labels[0].layer, { from: "picture" });
}

function pan(x, y) {
  go({ x: seen.x + (x * 80) / seen.scale, y: seen.y + (y * 80) / seen.scale, scale: seen.scale });
}

const KEYS = {
  ArrowDown: () => walkPicture(1), ArrowUp: () => walkPicture(-1), ArrowRight: () => turn(true), ArrowLeft: () => turn(false),
  "+": () => go(zoomed(STEP)), "=": () => go(zoomed(STEP)), "-": () => go(zoomed(1 / STEP)), 0: () => go(fitted()),
  w: () => pan(0, -1), s: () => pan(0, 1), a: () => pan(-1, 0), d: () => pan(1, 0),
};

picture.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (search.value) {
      search.value = "";
      fillTable();
    } else {
      choose(null);
    }
  } else if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});

// --- buttons, head and legend ----------------------------------------------------------------------------------------

const clicks = {
  "zoom-in": () => go(zoomed(STEP)), "zoom-out": () => go(zoomed(1 / STEP)), fit: () => go(fitted()),
  "unfold-all": () => { openAll(); redraw(); go(fitted()); }, "fold-all": () => { foldAll(); redraw(); go(beginning()); },
  theme: switchTheme, print: () => window.print(),
};
for (const [id, act] of Object.entries(clicks)) find(id).addEventListener("click", act);

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

function head() {
  const { totals } = data;
  find("name").textContent = data.name;
  find("origin").textContent = [data.path, data.doc.split("\n")[0]].filter(Boolean).join(" · ");
  find("origin").title = data.doc;
  const trained = totals.params_trained === totals.params ? "" : `, ${counted(totals.params_trained)} in training`;
  for (const [term, value, more] of [
    ["Parameters", totals.params.toLocaleString("en"), `${inBytes(4 * totals.params)} in fp32${trained}`],
    ["MACs", counted(totals.macs, 3), `${counted(2 * totals.macs, 3)} FLOPs`],
    ["Activations", inBytes(totals.peak), `at the peak; training ${inBytes(totals.kept)}`],
    ["Input", data.inputs.map(([, size]) => size).join(", "), `accepts ${data.accepts}`],
  ]) {
    find("totals").append(element("div", {}, element("dt", {}, term), element("dd", {}, value), element("dd", { class: "more", title: more }, more)));
  }
}

function legend() {
  const entry = (kind, said, colour) => {
    const made = element("span", {}, element("i", { class: `swatch ${kind}` }), said);
    if (colour) made.firstChild.style.background = colour;
    return made;
  };
  const kinds = new Set(data.links.map((each) => each.kind));
  const families = Object.entries(data.colours).map(([family, colour]) => entry("", family, colour));
  if (kinds.has("skip")) families.push(entry("skip", "skip"));
  if (kinds.has("move")) families.push(entry("move", "to another gpu"));
  find("legend").append(...families);
}

addEventListener("resize", look);
let unprinted = null; // the view that is kept while all of the picture is printed
addEventListener("beforeprint", () => {
  unprinted = picture.getAttribute("viewBox");
  picture.setAttribute("viewBox", `0 0 ${extent.width} ${extent.height}`);
});
addEventListener("afterprint", () => picture.setAttribute("viewBox", unprinted));

head();
legend();
makeTable();
fillTable();
showPanel(null);
openReadable();
draw();
jump(beginning());
