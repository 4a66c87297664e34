// The head of a panel: its title. A live panel also asks the kernel for news whenever somebody turns to it again, since
// another notebook may have changed what it shows. Nothing is asked for while nobody looks.

const PAUSE = 1000; // milliseconds between two questions

function render({ model, el }) {
  const title = document.createElement("h3");
  title.className = "rv-title";
  title.textContent = model.get("title");
  title.hidden = !title.textContent;
  el.append(title);
  if (!model.get("live")) return undefined;

  const away = new AbortController();
  let inView = false;
  let asked = -Infinity;
  const ask = () => {
    if (!inView || document.hidden || performance.now() - asked < PAUSE) return;
    asked = performance.now();
    model.send("look");
  };
  const place = new IntersectionObserver((entries) => {
    inView = entries.at(-1).isIntersecting;
    ask();
  });
  // The title may be empty and so of no size; what it is the head of is found when it is in the page.
  const start = () => {
    const panel = el.closest(".redbooth-view") ?? el;
    place.observe(panel);
    panel.addEventListener("pointerenter", ask, { signal: away.signal });
  };
  requestAnimationFrame(start);
  document.addEventListener("visibilitychange", ask, { signal: away.signal });
  window.addEventListener("focus", ask, { signal: away.signal });
  return () => {
    away.abort();
    place.disconnect();
  };
}

export default { render };
