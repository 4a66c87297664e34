// How much longer something is valid: a token, or the wait for an answer. The kernel says once how many seconds remain;
// from then on this counts by the browser's clock, so it is right while the kernel is busy and after the laptop has slept.

const LAST = 60; // seconds; as Token.needs_refresh: the last minute, or the last tenth of a short life
const TICKS = 1000; // milliseconds
const SAME_MOMENT = 120; // seconds; anything older came out of a saved notebook
const ICONS = {
  fresh: ["M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M8 4.5V8l2.4 1.6"],
  soon: ["M8 1.8L15 14H1z", "M8 6.2v3.6M8 11.4v.9"],
  expired: ["M2 2h12v12H2z", "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"],
  unknown: ["M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M6.2 6.2a1.8 1.8 0 1 1 2.6 1.7c-.6.3-.8.6-.8 1.3M8 11.3v.5"],
};
function make(tag, name, attributes = {}) {
  const element = document.createElement(tag);
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

function picture(paths) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const d of paths) svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).setAttribute("d", d);
  return svg;
}

function inWords(seconds, calm) {
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const parts = [h && `${h} h`, (h || min) && `${min} min`, !(calm && seconds >= LAST) && `${s} s`];
  return parts.filter(Boolean).join(" ");
}

function phaseOf(left, lifetime) {
  if (left === null || lifetime === null) return "unknown";
  if (left <= 0) return "expired";
  return left <= Math.min(LAST, lifetime / 10) ? "soon" : "fresh";
}

export default () => {
  let deadline = null; // in the browser's milliseconds

  // What the kernel sends is true at the moment it is sent, so time counts from its arrival, whatever the browser's
  // clock says. Only the first value may come out of a saved notebook, much later; then the kernel's clock has to do.
  const setDeadline = (model, saved) => {
    const { remaining, as_of } = model.get("time");
    const start = saved ? as_of * 1000 : Date.now();
    deadline = remaining === null ? null : start + remaining * 1000;
  };

  const initialize = ({ model }) => {
    setDeadline(model, Math.abs(Date.now() / 1000 - model.get("time").as_of) > SAME_MOMENT);
    model.on("change:time", () => setDeadline(model, false)); // before the views hear of it
  };

  const render = ({ model, el }) => {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
    const root = make("div", "redbooth-countdown");
    const icon = make("span", "rc-icon");
    const names = model.get("words"); // for each phase: what is shown, and what is announced when it begins
    const words = make("span", "rc-words", { role: "timer", "aria-label": names.label[0] });
    const bar = make("span", "rc-bar", { "aria-hidden": "true" });
    const rest = bar.appendChild(make("span", "rc-rest"));
    const news = make("span", "rc-news", { role: "status" });
    root.append(icon, words, bar, news);
    el.append(root);
    let timer = 0;

    const show = () => {
      clearTimeout(timer);
      const { lifetime } = model.get("time");
      // a clock set back adds no life
      const exact = deadline === null ? null : Math.min((deadline - Date.now()) / 1000, lifetime ?? Infinity);
      const phase = phaseOf(exact, lifetime);
      if (root.dataset.phase !== phase) {
        if (root.dataset.phase) {
          news.textContent = names[phase][1]; // a change; how it began is no news
          if (phase === "expired") model.send("expired");
        }
        root.dataset.phase = phase;
        icon.replaceChildren(picture(ICONS[phase]));
      }
      const left = Math.ceil(exact ?? 0);
      const counting = phase === "fresh" || phase === "soon";
      words.textContent = names[phase][0] + (counting ? ` ${inWords(left, calm.matches)}` : "");
      bar.hidden = phase === "unknown";
      rest.style.width = `${counting ? Math.min((100 * exact) / lifetime, 100) : 0}%`;
      // a little after the next full second, so that the words are never a second behind
      if (counting) timer = setTimeout(show, ((exact * 1000) % TICKS) + 5);
    };

    show();
    model.on("change:time", show);
    document.addEventListener("visibilitychange", show); // timers sleep in a hidden page
    return () => {
      clearTimeout(timer);
      model.off("change:time", show);
      document.removeEventListener("visibilitychange", show);
    };
  };

  return { initialize, render };
};
