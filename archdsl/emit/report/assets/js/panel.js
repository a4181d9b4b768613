// What is known of the chosen layer.

const panel = find("panel");
const AROUND = 3; // lines of the spec before and after a layer
const MOST_LINES = 12; // of a layer itself

function showPanel(layer) {
  panel.hidden = !layer;
  if (!layer) return panel.replaceChildren();
  panel.replaceChildren(title(layer), facts(layer), shares(layer), source(layer));
  panel.scrollTop = 0;
}

function title(layer) {
  const trail = element("nav", { class: "trail", "aria-label": "Where it stands" });
  for (const each of lineage(layer).slice(0, -1)) trail.append(link(each, each.name), " › ");
  const close = element(
    "button",
    { type: "button", class: "close", "aria-label": "Close", title: "Close ( Esc )" },
    "×",
  );
  close.addEventListener("click", () => choose(null));
  const heading = element(
    "h2",
    {},
    swatch(layer),
    layer.name,
    " ",
    element("code", {}, layer.what === layer.name ? "" : layer.what),
  );
  const parts = [close, trail, heading];
  if (layer.doc) parts.push(element("p", { class: "doc" }, layer.doc.split("\n\n")[0]));
  return element("div", { class: "title" }, ...parts);
}

function swatch(layer) {
  const made = element("i", { class: "swatch", title: layer.family });
  made.style.background = data.colours[layer.family] || "";
  return made;
}

function lineage(layer) {
  return layer.parent === null ? [layer] : [...lineage(layers[layer.parent]), layer];
}

function link(layer, said) {
  const made = element("button", { type: "button", class: "link" }, said);
  made.addEventListener("click", () => choose(layer.index, { from: "panel" }));
  return made;
}

function facts(layer) {
  const list = element("dl", { class: "facts" });
  const say = (term, ...said) => list.append(element("dt", {}, term), element("dd", {}, ...said));
  const [given, gives] = [layer.given, layer.gives].map((shapes) =>
    ["here", "always"].map((form) => shapes.map((s) => s[form]).join(", ")),
  );
  say("Shape", element("b", { class: "here" }, `${given[0]} → ${gives[0]}`));
  if (/[^\d, [\]]/.test(given[1] + gives[1]))
    say("For every size", element("span", { class: "always" }, `${given[1]} → ${gives[1]}`));
  say("Receptive field", ...field(layer));
  if (layer.arguments.length) say("Arguments", layer.arguments.map(([name, value]) => `${name} = ${value}`).join(", "));
  if (layer.buffers) say("Buffers", layer.buffers.toLocaleString("en"));
  if (data.placed) say("Runs on", layer.devices.map((device) => `gpu ${device}`).join(", "));
  const notes = [
    layer.training && "runs in training only",
    layer.again && "a further use of a shared module, counted at its first",
    turnOf(layer),
  ];
  if (notes.some(Boolean)) say("Note", notes.filter(Boolean).join("; "));
  return list;
}

// Which turn of a repetition that is drawn once it stands in.
function turnOf(layer) {
  const { part } = home.get(layer.index);
  const turn = ancestors(part).findLast((each) => each.kind === "turn" && !isOpen(each.up));
  if (!turn) return "";
  const [place, all] = [turn.up.parts.indexOf(turn) + 1, turn.up.parts.length];
  return `in turn ${place} of ${all}, which the diagram draws once`;
}

function field(layer) {
  if (!layer.field.length) return ["does not depend on the input"];
  const axes = layer.field.map((axis) => {
    const size = axis.whole
      ? `all ${axis.size}`
      : axis.smallest === axis.size
        ? `${axis.size}`
        : `${axis.smallest} to ${axis.size}`;
    const start = axis.offset === null ? "" : `, from ${axis.offset}`.replace("-", "−");
    return axis.whole ? size : `${size} (step ${axis.stride}${start})`;
  });
  const different = [...new Set(axes)];
  return [
    element("span", { class: "sees" }, different.length === 1 ? different[0] : axes.join(" × ")),
    layer.field.length > 1 && different.length === 1 ? " along each axis" : "",
  ];
}

// Bars for its share of the network's totals: those of training, for what only training runs.
function shares(layer) {
  const of = (key) =>
    layer.training && `${key}_trained` in data.totals ? data.totals[`${key}_trained`] : data.totals[key];
  const list = element("div", { class: "shares" });
  const whole = layer.training ? "of training" : "of the network";
  for (const [key, name, said] of [
    ["params", "Parameters", layer.params.toLocaleString("en")],
    ["macs", "MACs", layer.macs.toLocaleString("en")],
    ["made", "Memory", inBytes(layer.made)],
  ]) {
    const share = of(key) ? layer[key] / of(key) : 0;
    const percent = share && share < 0.001 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;
    const bar = element("div", { class: "bar-of", role: "img", "aria-label": `${percent} ${whole}` });
    bar.style.setProperty("--share", `${100 * share}%`);
    list.append(
      element("span", { class: "term" }, name),
      bar,
      element("b", { "data-of": key }, percent),
      element("span", { class: "amount" }, said),
    );
  }
  return list;
}

// The layer's lines in the spec, and those of the calls that lead to it.
function source(layer) {
  const made = element("div", { class: "source" });
  const chain = lineage(layer).reverse();
  chain.forEach((each, i) => {
    const { name, lines } = data.texts[each.place.text];
    const where = `${name}:${each.place.first}`;
    made.append(
      element(
        "p",
        {},
        i ? "called in " : "",
        i ? link(each, each.dotted) : element("b", {}, where),
        i ? ` · ${where}` : "",
      ),
    );
    made.append(listing(lines, each.place, i ? 0 : AROUND));
  });
  return made;
}

function listing(lines, { first, last }, around) {
  const pre = element("pre");
  const end = Math.min(last, first + (around ? MOST_LINES : 1) - 1);
  for (let number = Math.max(1, first - around); number <= Math.min(lines.length, end + around); number++) {
    const marked = number >= first && number <= end;
    pre.append(
      element(
        marked ? "mark" : "span",
        { "data-line": number },
        element("i", {}, String(number)),
        lines[number - 1] || " ",
        "\n",
      ),
    );
  }
  return pre;
}
