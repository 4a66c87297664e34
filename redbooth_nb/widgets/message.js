// How things stand, in one place that is there from the beginning: screen readers announce what changes in a live
// region, and not one that is replaced as a whole. Everything is set as text, so nothing in it can become markup.

const LABELS = { good: "Done.", problem: "Problem." }; // the word stands there too, never only the colour
const LOST = "The kernel was stopped or restarted, so this no longer works. Run its cell again.";

// The keys that a control uses itself. JupyterLab would also take them, for its cells: with an arrow it would leave the
// choices of a question, and with Enter it would go into the editor.
const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
const OWN_KEYS = [
  ["input[type=radio]", (key) => key === " " || ARROWS.includes(key)],
  ["input[type=checkbox]", (key) => key === " "],
  ["select", (key) => key !== "Escape" && key !== "Tab"], // letters choose, too
  ["button, summary", (key) => key === " " || key === "Enter"],
  ["a[href]", (key) => key === "Enter"],
];

function keep(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (OWN_KEYS.some(([control, uses]) => event.target.matches(control) && uses(event.key))) event.stopPropagation();
}

// Every panel has a message, so here is the place for what every panel needs; once for the whole page.
if (!document.documentElement.dataset.redboothKeys) {
  document.documentElement.dataset.redboothKeys = "kept";
  document.addEventListener("focusin", ({ target }) => {
    const panel = target.closest(".redbooth-view");
    if (panel) panel.addEventListener("keydown", keep); // the same again adds nothing
  });
}

function make(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

function render({ model, el }) {
  const root = make("div", "redbooth-message");
  root.setAttribute("role", "status");
  const words = root.appendChild(make("div", "rm-words"));
  root.append(make("div", "rm-lost", LOST)); // shown by the style sheet, when the kernel is gone
  el.append(root);

  const show = () => {
    const { text, kind } = model.get("said");
    root.dataset.kind = text ? kind : "none";
    const lines = text.split("\n").map((line) => make("div", "", line));
    if (LABELS[kind] && text) lines[0].prepend(make("strong", "", LABELS[kind]), " ");
    words.replaceChildren(...(text ? lines : []));
  };

  show();
  model.on("change:said", show);
  return () => model.off("change:said", show);
}

export default { render };
