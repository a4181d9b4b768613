// The layer that is chosen, and what is opened and folded by hand.

let chosen = null; // the index of a layer

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
  if (index !== null) rowOf[index].scrollIntoView({ block: "nearest" });
  if (from && from !== "picture") reveal();
}

// Moves the picture so that the chosen layer is seen.
function reveal() {
  const part = standingFor(chosen);
  if (!drawn.has(part)) return;
  const outermost = frames(part)[0] || part;
  go(showing(drawn.get(part), drawn.get(outermost)));
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
  if (event.target.closest(".pick") && group && parts.get(group.dataset.part).kind === "block")
    flip(parts.get(group.dataset.part));
});
