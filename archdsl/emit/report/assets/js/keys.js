// What keys do, beside those of the table.

// The next layer that the picture shows, in the order they run.
function walkPicture(step) {
  const found = new Set([...picture.querySelectorAll("[data-layer]")].map((each) => Number(each.dataset.layer)));
  const visible = [...found].sort((a, b) => a - b);
  const at = chosen === null ? (step > 0 ? -1 : visible.length) : visible.indexOf(chosen);
  const next = visible[at < 0 && chosen !== null ? 0 : at + step];
  if (next === undefined) return;
  choose(next, { from: "picture" });
  reveal();
}

// Opens or folds the block that is chosen; folding inside of one goes out to it.
function turn(open) {
  const part = standingFor(chosen);
  if (!part) return;
  if (part.kind === "block" && isOpen(part) !== open) return flip(part);
  const outer = ancestors(part).findLast((each) => each.kind === "block");
  if (!open && outer) choose(outer.labels[0].layer, { from: "picture" });
}

// Shows each turn of the repetition that the chosen layer stands in, or one for all again.
function turns() {
  const part = standingFor(chosen);
  const repeat = part && (repetition(part) || ancestors(part).findLast((each) => each.kind === "repeat"));
  if (repeat) flip(repeat);
}

function pan(x, y) {
  go({ x: seen.x + (x * 80) / seen.scale, y: seen.y + (y * 80) / seen.scale, scale: seen.scale });
}

const KEYS = {
  ArrowDown: () => walkPicture(1),
  ArrowUp: () => walkPicture(-1),
  ArrowRight: () => turn(true),
  ArrowLeft: () => turn(false),
  x: turns,
  "+": () => go(zoomed(STEP)),
  "=": () => go(zoomed(STEP)),
  "-": () => go(zoomed(1 / STEP)),
  0: () => go(fitted()),
  w: () => pan(0, -1),
  s: () => pan(0, 1),
  a: () => pan(-1, 0),
  d: () => pan(1, 0),
};

// Keys are the diagram's wherever nothing else has the focus, as on arrival.
addEventListener("keydown", (event) => {
  const focus = document.activeElement;
  if (focus !== document.body && !picture.contains(focus)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || !KEYS[event.key]) return;
  event.preventDefault();
  KEYS[event.key]();
});

addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (search.value) {
      search.value = "";
      listAnew();
    } else {
      choose(null);
    }
  } else if (event.key === "/" && document.activeElement !== search) {
    event.preventDefault();
    search.focus();
  }
});
