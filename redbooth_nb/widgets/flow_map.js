// The flow map: three parties, the hops between them, four stages. The kernel says what has happened; this only draws
// it and leads around in it. Everything is set as text, so nothing that came over the wire can become markup.

const COLUMNS = { User: 2, "Your app": 3, Redbooth: 4 }; // the grid line of each lifeline
const ICONS = {
  done: ["M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M4.6 8.2l2.4 2.4 4.5-5"],
  next: ["M8 1.2a6.8 6.8 0 1 0 0 13.6A6.8 6.8 0 0 0 8 1.2z", "M6.4 4.9v6.2L11.2 8z"],
  "not yet": ["M8 1.7a6.3 6.3 0 1 0 0 12.6A6.3 6.3 0 0 0 8 1.7z"],
};
const PARTIES = {
  User: "M8 7.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2.5 14.5c0-3 2.4-5 5.5-5s5.5 2 5.5 5",
  "Your app": "M1.5 3h13v10h-13zM1.5 6h13",
  Redbooth: "M2 2.5h12v4H2zM2 9.5h12v4H2zM4.5 4.5h1M4.5 11.5h1",
};
let maps = 0; // ids must be unique on the page, also when one map is shown twice

function make(tag, name, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function picture(name, paths) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ class: name, viewBox: "0 0 16 16", "aria-hidden": "true" }))
    svg.setAttribute(key, value);
  for (const d of paths) svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", d);
  return svg;
}

// Returns whether it was another before, and so is news.
function showProgress(element, progress) {
  const before = element.dataset.progress;
  if (before === progress) return false;
  element.dataset.progress = progress;
  element.replaceChildren(picture("rf-icon", ICONS[progress]), make("span", "rf-word", progress));
  return Boolean(before);
}

// The head of the picture: the name above each lifeline.
function parties() {
  const row = make("div", "rf-parties");
  for (const [name, path] of Object.entries(PARTIES)) {
    const party = row.appendChild(make("span", "rf-party"));
    party.append(picture("rf-icon", [path]), make("span", "", name));
  }
  return row;
}

// One hop: a button drawn as an arrow between two lifelines, and below it room for what went over the wire.
function drawHop(hop, id, choose) {
  const [from, to] = [COLUMNS[hop.source], COLUMNS[hop.target]];
  const item = make("li", "");
  const button = make("button", "rf-hop", "", { type: "button", "aria-controls": id, "data-hop": hop.id });
  const track = make("span", "rf-track");
  const columns = `${Math.min(from, to)} / ${Math.max(from, to)}`;
  const way = make("span", "rf-way", hop.source);
  way.append(make("span", "rf-to", " to "), `${hop.target}: `);
  const label = make("span", "rf-label");
  const arrow = make("span", `rf-arrow ${from < to ? "rf-right" : "rf-left"}`);
  label.style.gridColumn = arrow.style.gridColumn = columns;
  track.append(label, arrow);
  const progress = make("span", "rf-progress");
  const detail = make("div", "rf-detail", "", { id, role: "region", "aria-label": `${hop.source} to ${hop.target}`, tabindex: 0 });
  button.append(way, track, progress);
  button.addEventListener("click", () => choose(hop.id));
  item.append(button, detail);
  return { item, button, label, progress, detail };
}

// Text in which each fingerprint has its own color, as in view.py.
function fill(element, text) {
  for (const piece of text.split(/(<[a-z ]+ \.\.\.[0-9a-f]{4}>)/)) {
    const [, digits] = /^<[a-z ]+ \.\.\.([0-9a-f]{4})>$/.exec(piece) ?? [];
    const print = digits && make("span", "rv-print", piece);
    const number = parseInt(digits, 16);
    print?.style.setProperty("--rv-hue", 190 + 26 * (number % 6));
    print?.style.setProperty("--rv-tint", `${18 + 24 * (Math.floor(number / 6) % 2)}%`);
    element.append(print ?? piece);
  }
  return element;
}

function fillDetail(detail, hop) {
  const title = make("p", "rf-title", `${hop.source} \u2192 ${hop.target}: ${hop.label}`);
  const notes = hop.note.split("\n").filter(Boolean).map((line) => fill(make("p", "rf-note"), line));
  detail.replaceChildren(title, make("p", "", hop.about), ...notes);
  if (!hop.round_trip) return;
  const [request, response] = hop.round_trip.split(/\n--> (.*)/s);
  const trip = detail.appendChild(make("div", "rv-trip"));
  for (const [name, text] of [["Request", request], ["Response", response]])
    trip.appendChild(make("div", "")).append(make("p", "rv-head", name + hop.when), fill(make("pre", "rf-wire"), text));
  if (hop.earlier) detail.append(make("p", "rf-note", `${hop.earlier} earlier: HttpView() shows them all.`));
}

function render({ model, el }) {
  const prefix = `redbooth-flow-${++maps}`;
  const root = make("div", "redbooth-flow", "", { role: "group", "aria-label": "Flow map: how far your app has come" });
  const summary = make("p", "rf-summary", "", { role: "status" });
  const list = make("ol", "rf-stages");
  const stages = {};
  const hops = {};
  let order = [];
  let current = ""; // the one hop that Tab reaches; arrow keys lead to the others

  const choose = (id) => {
    model.set("selected", model.get("selected") === id ? "" : id);
    model.save_changes();
    goTo(id);
  };
  const goTo = (id) => {
    current = id;
    for (const name of order) hops[name].button.tabIndex = name === id ? 0 : -1;
  };

  for (const [index, stage] of model.get("stages").entries()) {
    const head = make("div", "rf-head", "", { id: `${prefix}-${stage.name}` });
    const progress = make("span", "rf-progress");
    const name = make("span", "rf-name");
    name.append(make("span", "rf-number", `${index + 1}`), ` ${stage.name}`);
    head.append(name, progress, make("span", "rf-about", stage.about));
    const item = make("li", "rf-stage");
    const inner = make("ol", "rf-hops", "", { "aria-labelledby": head.id });
    for (const hop of stage.hops) {
      hops[hop.id] = drawHop(hop, `${prefix}-${hop.id}-detail`, choose);
      inner.append(hops[hop.id].item);
      order.push(hop.id);
    }
    item.append(head, inner);
    list.append(item);
    stages[stage.name] = { item, progress };
  }

  const showAll = () => {
    // A live region speaks whenever its text is set, so it is only set when it differs.
    if (summary.textContent !== model.get("summary")) summary.textContent = model.get("summary");
    for (const stage of model.get("stages")) {
      stages[stage.name].item.dataset.progress = stage.progress;
      showProgress(stages[stage.name].progress, stage.progress);
      for (const hop of stage.hops) {
        const { button, label, progress } = hops[hop.id];
        button.dataset.progress = hop.progress;
        label.textContent = hop.label;
        if (showProgress(progress, hop.progress)) {
          button.classList.remove("rv-news");
          button.getBoundingClientRect(); // so that the animation begins anew
          button.classList.add("rv-news");
        }
        if (!current && hop.progress === "next") goTo(hop.id);
      }
    }
    if (!current) goTo(order[0]);
    showSelected(); // what is open may have news too
  };
  const showSelected = () => {
    for (const hop of model.get("stages").flatMap((stage) => stage.hops)) {
      const { button, detail } = hops[hop.id];
      const open = hop.id === model.get("selected");
      button.setAttribute("aria-expanded", open);
      detail.hidden = !open;
      if (open) fillDetail(detail, hop);
      else detail.replaceChildren();
    }
  };

  list.addEventListener("keydown", (event) => {
    if (event.target.matches(".rf-detail") && /^(Arrow|Page|Home|End)/.test(event.key)) event.stopPropagation(); // a long one scrolls
    const at = order.indexOf(event.target.dataset?.hop);
    if (at < 0 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const steps = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: order.length - 1 };
    if (event.key in steps) {
      event.preventDefault(); // the page would scroll
      const id = order[Math.min(Math.max(steps[event.key], 0), order.length - 1)];
      goTo(id);
      hops[id].button.focus();
    } else if (event.key === "Escape" && model.get("selected")) choose(model.get("selected"));
    else if (event.key !== "Enter" && event.key !== " ") return;
    event.stopPropagation(); // in JupyterLab these keys move between cells, or open one
  });

  const legend = make("p", "rf-legend");
  for (const progress of Object.keys(ICONS)) {
    const entry = legend.appendChild(make("span", "rf-progress"));
    showProgress(entry, progress);
  }
  legend.append(make("span", "", "Choose a step to see what went over the wire: click it, or use the arrow keys and Enter. Requests from other notebooks are not shown."));
  root.append(summary, parties(), list, legend);
  el.append(root);

  showAll();
  model.on("change:stages", showAll);
  model.on("change:summary", showAll);
  model.on("change:selected", showSelected);
  return () => {
    model.off("change:stages", showAll);
    model.off("change:summary", showAll);
    model.off("change:selected", showSelected);
  };
}

export default { render };
