// What a panel says, in one place that is there from the beginning: screen readers announce what changes in a live
// region, but not a region that is replaced as a whole. Everything is set as text, so nothing in it can become markup.

const LABELS = { good: "Done.", problem: "Problem." }; // in words too, never by color alone
const LOST = "The kernel was stopped or restarted, so this no longer works. Run the cells above this one again, and then this one.";

// The keys that a control uses itself. JupyterLab would also take them for its cells: an arrow would leave the choices
// of a question, and Enter would open the editor.
const ARROWS = ["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"];
const OWN_KEYS = [
  ["input[type=radio]", (key) => key === " " || ARROWS.includes(key)],
  ["input[type=checkbox]", (key) => key === " "],
  ["select", (key) => key !== "Escape" && key !== "Tab"], // letters choose too
  ["pre[tabindex]", (key) => ARROWS.includes(key)], // a long one scrolls
  ["button, summary", (key) => key === " " || key === "Enter"],
  ["a[href]", (key) => key === "Enter"],
];

function keep(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (OWN_KEYS.some(([control, uses]) => event.target.matches(control) && uses(event.key))) event.stopPropagation();
}

// Copy what is before the button, or the whole of it where it is shortened. Where the browser does not let a page write
// to the clipboard, it is selected, to be copied by hand.
async function copy(button) {
  const text = button.previousElementSibling;
  const { whole } = button.dataset;
  if (!whole) getSelection().selectAllChildren(text);
  try {
    await navigator.clipboard.writeText(whole ?? getSelection().toString());
    button.textContent = "Copied";
  } catch {
    if (whole) text.textContent = whole;
    getSelection().selectAllChildren(text);
    button.textContent = "Selected";
  }
}

// Every panel has a message, so this is the place for what every panel needs; once for the whole page.
if (!document.documentElement.dataset.redboothPanels) {
  document.documentElement.dataset.redboothPanels = "served";
  document.addEventListener("click", ({ target }) => {
    const button = target.closest(".redbooth-view .rv-copy");
    if (button) copy(button);
  });
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
