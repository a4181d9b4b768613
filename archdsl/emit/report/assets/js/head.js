// The totals above the page and the legend below the picture.

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
    find("totals").append(
      element(
        "div",
        {},
        element("dt", {}, term),
        element("dd", {}, value),
        element("dd", { class: "more", title: more }, more),
      ),
    );
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
