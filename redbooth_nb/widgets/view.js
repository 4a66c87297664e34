// The head of a panel: its title. A live panel also asks the kernel for news whenever somebody turns to it again, since
// another notebook may have changed what it shows. Nothing is asked for while nobody looks.

const PAUSE = 1000; // milliseconds between two questions

function render({ model, el }) {
  const title = document.createElement("h3");
  title.className = "rv-title";
  title.textContent = model.get("title");
  title.hidden = !title.textContent;
  el.append(title);

  const away = new AbortController();
  const observers = [];
  // The title may be empty and so of no size; what it is the head of is found when it is in the page.
  requestAnimationFrame(() => {
    const panel = el.closest(".redbooth-view") ?? el;
    if (away.signal.aborted) return;
    observers.push(stayInSight(panel));
    if (model.get("live")) observers.push(askWhenSeen(panel, () => model.send("look"), away.signal));
  });
  return () => {
    away.abort();
    for (const observer of observers) observer.disconnect();
  };
}

// A window that is closed may take up more than the page shows. If only the end of its panel was in sight, that end
// and all that follows stay where they are.
function stayInSight(panel) {
  let height = 0;
  const observer = new ResizeObserver(() => {
    const { bottom, height: now } = panel.getBoundingClientRect();
    const shrunk = height - now;
    height = now;
    const scrolled = scrollerOf(panel);
    const edge = Math.max(0, scrolled.getBoundingClientRect().top);
    if (bottom <= edge && bottom + shrunk > edge) scrolled.scrollTop -= shrunk;
  });
  observer.observe(panel);
  return observer;
}

function scrollerOf(panel) {
  for (let place = panel.parentElement; place; place = place.parentElement) {
    const scrolls = /auto|scroll/.test(getComputedStyle(place).overflowY);
    if (scrolls && place.scrollHeight > place.clientHeight) return place;
  }
  return document.scrollingElement;
}

function askWhenSeen(panel, question, signal) {
  let inView = false;
  let asked = -Infinity;
  const ask = () => {
    if (!inView || document.hidden || performance.now() - asked < PAUSE) return;
    asked = performance.now();
    question();
  };
  const observer = new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    ask();
  });
  observer.observe(panel);
  panel.addEventListener("pointerenter", ask, { signal });
  document.addEventListener("visibilitychange", ask, { signal });
  window.addEventListener("focus", ask, { signal });
  return observer;
}

export default { render };
