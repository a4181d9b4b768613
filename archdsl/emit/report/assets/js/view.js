// What of the picture is seen: a rectangle of its plane, moved and scaled.

const MOST = 4; // pixels for one unit
const LEAST = 0.02;
const STEP = 1.25;
const seen = { x: 0, y: 0, scale: 1 };
const still = matchMedia("(prefers-reduced-motion: reduce)");
let moving = 0;

const pane = () => picture.getBoundingClientRect();

function look() {
  const { width: w, height: h } = pane();
  picture.setAttribute("viewBox", `${seen.x} ${seen.y} ${w / seen.scale} ${h / seen.scale}`);
}

const limited = (scale) => Math.min(MOST, Math.max(LEAST, scale));

// Goes to a view, in a few steps unless the reader wants none.
function go(to, time = 160) {
  cancelAnimationFrame(moving);
  const from = { ...seen };
  const start = performance.now();
  const step = (now) => {
    const part = still.matches ? 1 : Math.min(1, (now - start) / time);
    const eased = 1 - (1 - part) ** 3;
    for (const key of ["x", "y", "scale"]) seen[key] = from[key] + (to[key] - from[key]) * eased;
    look();
    if (part < 1) moving = requestAnimationFrame(step);
  };
  moving = requestAnimationFrame(step);
}

function jump(to) {
  cancelAnimationFrame(moving);
  Object.assign(seen, to);
  look();
}

// The view scaled by a factor about a point of the screen, the middle without one.
function zoomed(factor, point) {
  const box = pane();
  const at = point ? { x: point.x - box.x, y: point.y - box.y } : { x: box.width / 2, y: box.height / 2 };
  const scale = limited(seen.scale * factor);
  return { x: seen.x + at.x / seen.scale - at.x / scale, y: seen.y + at.y / seen.scale - at.y / scale, scale };
}

function fitted() {
  const { width: w, height: h } = pane();
  const scale = limited(Math.min(w / extent.width, h / extent.height, 1.5));
  return { x: (extent.width - w / scale) / 2, y: (extent.height - h / scale) / 2, scale };
}

// Where reading starts: all of the width, legible, from the top.
function beginning() {
  const { width: w, height: h } = pane();
  const whole = Math.min(w / extent.width, h / extent.height);
  const scale = limited(Math.min(1, Math.max(whole, Math.min(w / extent.width, 0.85), 0.5)));
  const y = extent.height * scale < h ? (extent.height - h / scale) / 2 : 0;
  return { x: (extent.width - w / scale) / 2, y, scale };
}

// The view that has a place of the picture in it: the same one if it has it already, else one with all that is around the
// place, if that stays legible.
function showing(place, around) {
  const { width: w, height: h } = pane();
  if (seen.scale >= 0.5 && within(place, w / seen.scale, h / seen.scale)) return { ...seen };
  const scale = Math.min(Math.max(seen.scale, 0.8), Math.max(0.55, (w - 40) / around.width));
  const middle = ({ x, width: wide }) => x + wide / 2 - w / scale / 2;
  const [left, right] = [around.x - 20 / scale, around.x + around.width + 20 / scale - w / scale];
  const x = left > right ? middle(around) : Math.min(Math.max(middle(place), left), right);
  return { x, y: place.y + Math.min(place.height, h / scale) / 2 - h / scale / 2, scale };
}

// Whether a view of this size has a place in it, or the beginning of a large one.
function within(place, wide, high) {
  const margin = 24 / seen.scale;
  const inside = (at, size, from, span) => at >= from + margin && at + Math.min(size, span / 2) <= from + span - margin;
  return inside(place.x, place.width, seen.x, wide) && inside(place.y, place.height, seen.y, high);
}

picture.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    jump(zoomed(Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0016)), event));
  },
  { passive: false },
);

const fingers = new Map(); // pointers that are down, by their ids
let dragged = false; // whether the pointer moved: what follows is no click

picture.addEventListener("pointerdown", (event) => {
  fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  if (fingers.size === 1) dragged = false;
});

addEventListener("pointermove", (event) => {
  const before = fingers.get(event.pointerId);
  if (!before) return;
  const now = { x: event.clientX, y: event.clientY };
  if (!dragged && Math.hypot(now.x - before.x, now.y - before.y) < 4) return;
  dragged = true;
  picture.classList.add("dragging");
  if (fingers.size === 2) pinch(event.pointerId, before, now);
  else jump({ x: seen.x - (now.x - before.x) / seen.scale, y: seen.y - (now.y - before.y) / seen.scale });
  fingers.set(event.pointerId, now);
});

function pinch(id, before, now) {
  const [other] = [...fingers].filter(([each]) => each !== id).map(([, place]) => place);
  const apart = (place) => Math.hypot(place.x - other.x, place.y - other.y);
  jump(zoomed(apart(now) / Math.max(1, apart(before)), { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 }));
}

for (const end of ["pointerup", "pointercancel"]) {
  addEventListener(end, (event) => {
    fingers.delete(event.pointerId);
    picture.classList.remove("dragging");
  });
}
