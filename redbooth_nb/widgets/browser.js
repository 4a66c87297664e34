// The window: an address bar, and a frame of another origin with no rights to this page. A page is handed to the frame as
// text and becomes a document there without its scripts, so neither it nor an address with a code is ever part of this
// page's document. Clicks and forms go to the kernel, which asks Redbooth's stand-in and sends the next page.

const SLOW = 800; // milliseconds, after which somebody who waits is told why

// Runs inside the frame. It must not use anything from outside it.
function inside() {
  let scheme = "light dark";
  const tell = (what) => parent.postMessage({ redbooth: what }, "*");
  const size = () => tell({ height: Math.ceil(document.body?.getBoundingClientRect().height ?? 0) });
  addEventListener("message", ({ source, data }) => {
    if (source !== parent) return;
    scheme = data.scheme ?? scheme;
    document.documentElement.style.colorScheme = scheme;
    if (data.html === undefined) return;
    const page = new DOMParser().parseFromString(data.html, "text/html");
    for (const one of page.querySelectorAll("script, link, meta, base, iframe, object, embed")) one.remove();
    page.head.append(Object.assign(page.createElement("style"), { textContent: data.styles }));
    document.replaceChild(document.adoptNode(page.documentElement), document.documentElement);
    document.documentElement.style.colorScheme = scheme;
    for (const one of document.querySelectorAll("code.wide[id]")) {
      const copy = Object.assign(document.createElement("button"), { type: "button", textContent: "Copy", className: "button plain" });
      copy.dataset.copy = one.id;
      copy.setAttribute("aria-label", `Copy ${one.closest("dd")?.previousElementSibling.firstChild.textContent.trim() ?? "code"}`);
      one.parentElement.classList.add("row");
      one.after(copy);
    }
    new ResizeObserver(size).observe(document.body);
    document.querySelector("[autofocus], [aria-invalid]")?.focus();
    scrollTo(0, 0);
    size();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const copy = event.target.closest("[data-copy]");
    if (copy) tell({ copy: document.getElementById(copy.dataset.copy).textContent });
    if (!link) return;
    event.preventDefault();
    tell({ open: link.getAttribute("href") });
  });
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const { target: form, submitter } = event;
    const fields = [...new FormData(form, submitter)].filter(([, value]) => typeof value === "string");
    tell({ submit: [form.getAttribute("method") ?? "get", form.getAttribute("action") ?? "", fields] });
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      tell({ save: true });
    }
  });
  tell({ loaded: true });
}

const NOTHING_ELSE = "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-redbooth'";
const LOADER =
  `<!doctype html><html lang="en"><meta http-equiv="Content-Security-Policy" content="${NOTHING_ELSE}">` +
  `<title>Page</title><body><script nonce="redbooth">(${inside})()</script></body></html>`;

function make(tag, properties = {}, ...children) {
  const { aria = {}, ...own } = properties;
  const element = Object.assign(document.createElement(tag), own);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, value);
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const back = make("button", { type: "button", className: "rb-go", textContent: "Back", disabled: true });
  const reload = make("button", { type: "button", className: "rb-go", textContent: "Reload" });
  const address = make("input", {
    className: "rb-address", type: "text", spellcheck: false, autocomplete: "off", aria: { label: "Address" },
  });
  const bar = make("form", { className: "rb-bar" }, back, reload, address);
  const status = make("div", { className: "rb-status", role: "status" });
  const frame = make("iframe", { className: "rb-page", title: "Page", srcdoc: LOADER });
  frame.setAttribute("sandbox", "allow-forms allow-scripts");
  const root = make("div", { className: "rb-window" }, bar, status, frame);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Browser window");
  el.append(root);

  let shown = null;
  let loaded = false;
  let slow = 0;

  const ask = (what) => {
    clearTimeout(slow);
    root.classList.add("rb-busy");
    slow = setTimeout(() => { status.textContent = "Waiting for the kernel. It may still be running another cell."; }, SLOW);
    model.send(what);
  };
  const theme = () => { // the frame sees the system's light or dark, not JupyterLab's
    const lab = document.body.dataset.jpThemeLight;
    const scheme = lab === undefined ? "light dark" : lab === "true" ? "light" : "dark";
    frame.style.colorScheme = scheme;
    if (loaded) frame.contentWindow.postMessage({ scheme }, "*");
  };
  const draw = () => {
    if (!loaded || !shown) return;
    address.value = shown.address;
    address.title = ""; // the whole of it can be read in the field, and nowhere else on this page
    back.disabled = !shown.back;
    frame.title = shown.title;
    status.textContent = shown.title;
    root.classList.remove("rb-busy");
    frame.contentWindow.postMessage({ html: shown.html, styles: shown.styles }, "*");
  };
  const fromFrame = async ({ source, data }) => {
    if (source !== frame.contentWindow || !data?.redbooth) return;
    const { loaded: began, height, open, submit, save, copy } = data.redbooth;
    if (began) { loaded = true; theme(); draw(); }
    if (height) frame.style.setProperty("--page-height", `${height}px`);
    if (typeof open === "string") ask({ open });
    if (Array.isArray(submit)) ask({ submit });
    if (typeof copy === "string") {
      await navigator.clipboard.writeText(copy);
      status.textContent = "Copied";
    }
    if (save) {
      const keys = { key: "s", code: "KeyS", keyCode: 83, ctrlKey: true, bubbles: true };
      root.dispatchEvent(new KeyboardEvent("keydown", keys));
    }
  };
  const fromKernel = (message) => {
    clearTimeout(slow);
    shown = message;
    draw();
  };
  const keep = (event) => { // JupyterLab takes plain keys for its cells
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
  };

  back.addEventListener("click", () => ask({ go: "back" }));
  reload.addEventListener("click", () => ask({ go: "reload" }));
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    ask({ open: address.value });
  });
  address.addEventListener("keydown", keep);
  addEventListener("message", fromFrame);
  model.on("msg:custom", fromKernel);
  const themes = new MutationObserver(theme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  theme();
  model.send({ ready: ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname) });

  return () => {
    clearTimeout(slow);
    themes.disconnect();
    removeEventListener("message", fromFrame);
    model.off("msg:custom", fromKernel);
  };
}

export default { render };
