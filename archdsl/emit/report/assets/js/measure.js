// Sizes of boxes, from the text in them.

const FONT = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const LINE = 24; // a layer in a box
const TALL = 42; // a block that is not opened
const HEADER = 26; // of a frame
const TOGGLE = 26; // beside a block's text
const WIDEST = 46; // characters of a call
const pen = document.createElement("canvas").getContext("2d");
const widths = new Map();

function width(text, { size = 12, bold = false } = {}) {
  const key = `${bold ? "bold " : ""}${size}px ${FONT}`;
  const known = `${key}|${text}`;
  if (!widths.has(known)) {
    pen.font = key;
    widths.set(known, pen.measureText(text).width);
  }
  return widths.get(known);
}

const cut = (text) => (text.length > WIDEST ? `${text.slice(0, WIDEST - 1)}…` : text);

const badge = (repeat) => `× ${repeat.parts.length}`;
const badgeWidth = (part) => (repetition(part) ? width(badge(repetition(part)), { bold: true }) + 16 : 0);

// The words of each line of a box.
function words(part) {
  return part.labels.map((label, line) => ({ ...label, name: named(part, line), call: cut(label.call) }));
}

function boxSize(part) {
  const lines = words(part);
  if (part.kind === "block") {
    const text = Math.max(width(lines[0].name, { bold: true }), width(lines[0].call));
    const both = lines[0].name && lines[0].call;
    return { width: Math.ceil(text + 24 + TOGGLE + badgeWidth(part)), height: both ? TALL : LINE + 4 };
  }
  const text = lines.map(({ name, call }) => width(name, { bold: true }) + width(call) + (name && call ? 8 : 0));
  const note = part.training && !insideTraining(part) ? width("training", { size: 10 }) + 10 : 0;
  return { width: Math.ceil(Math.max(...text, 20) + 22 + note + badgeWidth(part)), height: LINE * lines.length };
}

const insideTraining = (part) => frames(part).some((frame) => frame.training);

// What the header of a frame says.
function header(part) {
  const said = [];
  if (part.kind === "block") {
    const name = named(part, 0);
    said.push({ text: name, bold: true }, { text: name === part.labels[0].call ? "" : cut(part.labels[0].call) });
  }
  const repeat = part.kind === "repeat" ? part : repetition(part);
  if (repeat) said.push({ text: badge(repeat), bold: true });
  if (part.training && !insideTraining(part)) said.push({ text: "training" });
  if (part.device !== null && !frames(part).some((frame) => frame.device === part.device)) {
    said.push({ text: `gpu ${part.device}` });
  }
  return said.filter((word) => word.text);
}

function headerWidth(part) {
  const text = header(part).reduce((sum, word) => sum + width(word.text, word) + 10, 0);
  return Math.ceil(text + 16 + (part.kind === "device" ? 0 : TOGGLE));
}
