// What is opened, and what of the picture stands for each box and arrow then.

const opened = new Set(); // blocks that the reader opened
const peeked = new Set(); // blocks that are open as long as the chosen layer stands in them
const unrolled = new Set(); // repetitions whose turns are all shown

const isOpen = (part) => (part.kind === "repeat" ? unrolled.has(part.id) : opened.has(part.id) || peeked.has(part.id));

// A frame has others inside. A turn has no frame of its own, nor has a repetition of a single box: that has a badge.
function isFrame(part) {
  if (part.kind === "device") return true;
  if (part.kind === "repeat") return isOpen(part) || part.parts[0].parts.length > 1;
  return part.kind === "block" && isOpen(part);
}

// The parts to show inside a list of parts: without frames that are not drawn, and of folded repetitions the first turn.
function shown(list) {
  return list.flatMap((part) => {
    if (isFrame(part) || part.kind === "box" || part.kind === "block") return [part];
    return inside(part);
  });
}

function inside(part) {
  if (part.kind === "repeat") return shown(isOpen(part) ? part.parts : part.parts.slice(0, 1));
  return shown(part.parts);
}

// The part that stands for the one at an address. `later`: it is in a turn that is folded into the first one.
function standing(address) {
  let [list, later, part] = [data.parts, false, null];
  for (const place of address) {
    const folded = part && part.kind === "repeat" && !isOpen(part);
    later ||= folded && place > 0;
    part = list[folded ? 0 : Math.min(place, list.length - 1)];
    if (part.kind === "box" || (part.kind === "block" && !isOpen(part))) break;
    list = part.parts;
  }
  return { part, later };
}

// The arrows between parts that are shown, each once.
function links() {
  const found = new Map();
  for (const link of data.links) {
    const source = standing(parts.get(link.source).address).part;
    const { part: target, later } = standing(parts.get(link.target).address);
    if (later || source === target) continue;
    found.set([source.id, target.id, link.shape, link.kind].join(), { ...link, source, target });
  }
  return [...found.values()];
}

const frames = (part) => ancestors(part).filter(isFrame);

// How often a part stands where it is drawn once, and the repetition that says so.
function repetition(part) {
  const up = part.up && part.up.kind === "turn" ? part.up.up : null;
  return up && !isOpen(up) && up.parts[0].parts.length === 1 ? up : null;
}

// `35` of `1 … 35`: the name of a label in the last turn that its box stands for, if it is another one.
function lastName(part, line) {
  let [list, twin] = [data.parts, null];
  for (const place of part.address) {
    const folded = twin && twin.kind === "repeat" && !isOpen(twin);
    twin = list[folded ? list.length - 1 : Math.min(place, list.length - 1)];
    list = twin.parts;
  }
  return twin.labels[line] ? twin.labels[line].name : "";
}

function named(part, line) {
  const [first, last] = [part.labels[line].name, lastName(part, line)];
  return first === last ? first : `${first} … ${last}`;
}

const READABLE = 36; // boxes of a picture that nobody asked to be deeper

function boxes(list) {
  return shown(list).reduce((sum, part) => sum + (isFrame(part) ? boxes(inside(part)) : 1), 0);
}

const blocks = () => [...parts.values()].filter((part) => part.kind === "block");

function foldAll() {
  for (const set of [opened, peeked, unrolled]) set.clear();
}

function openAll() {
  for (const part of parts.values()) {
    if (part.kind === "block") opened.add(part.id);
    if (part.kind === "repeat") unrolled.add(part.id);
  }
}

// Opens whole levels of blocks as long as all of them stay readable.
function openReadable() {
  for (let level = 1; ; level++) {
    const next = blocks().filter((part) => part.level === level);
    next.forEach((part) => opened.add(part.id));
    if (next.length && boxes(data.parts) <= READABLE) continue;
    next.forEach((part) => opened.delete(part.id));
    return;
  }
}
