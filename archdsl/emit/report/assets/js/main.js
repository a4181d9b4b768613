// The buttons, printing, and how the page begins.

const clicks = {
  "zoom-in": () => go(zoomed(STEP)),
  "zoom-out": () => go(zoomed(1 / STEP)),
  fit: () => go(fitted()),
  "unfold-all": () => {
    openAll();
    redraw();
    go(fitted());
  },
  "fold-all": () => {
    foldAll();
    redraw();
    go(beginning());
  },
  theme: switchTheme,
  print: () => window.print(),
};
for (const [id, act] of Object.entries(clicks)) find(id).addEventListener("click", act);

function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
}

let wide = pane().width; // what was in the middle stays there when the window is resized
addEventListener("resize", () => {
  seen.x -= (pane().width - wide) / 2 / seen.scale;
  wide = pane().width;
  look();
});
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
