// The window: an address bar, and a frame of another origin with no rights to this page. A page is handed to the frame as
// text and becomes a document there, of harmless elements only, so neither it nor an address with a code is ever part of
// this page's document. Clicks and forms go to the kernel, which asks Redbooth's stand-in and sends the next page.

const SLOW = 800; // milliseconds, after which somebody who waits is told why
const NOTE = 5000; // milliseconds that a note stands in place of the title

// Runs inside the frame, before any page is there. It must not use anything from outside it. What is said between it and
// the view goes through a port that ends with this document, so nothing that might ever replace it takes part.
function inside() {
  const ELEMENTS = new Set(`html head title style body main header nav section aside footer article div span p h1 h2 h3 h4
    h5 h6 ul ol li dl dt dd table thead tbody tr th td form fieldset legend label input textarea select option button a
    code pre em strong b i s small mark br hr`.split(/\s+/));
  const ATTRIBUTES = /^(id|class|name|value|type|href|action|method|for|checked|disabled|required|rows|cols|role|lang|scope|colspan|selected|spellcheck|aria-[a-z]+)$/;
  const NAMED = new Set(["INPUT", "TEXTAREA", "SELECT", "BUTTON"]); // a name elsewhere would hide a property of the document
  const { getAttribute, getAttributeNames, remove, removeAttribute } = Element.prototype; // a form's fields may be called so
  let scheme = "light dark";
  let tell = () => {};

  const size = () => tell({ height: Math.ceil(document.body.getBoundingClientRect().height) });
  const show = ({ html, styles, focus }) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    for (const one of page.querySelectorAll("*")) {
      if (!ELEMENTS.has(one.localName)) remove.call(one);
      else for (const name of getAttributeNames.call(one)) {
        if (!ATTRIBUTES.test(name) || (name === "name" && !NAMED.has(one.tagName))) removeAttribute.call(one, name);
      }
    }
    page.head.append(Object.assign(page.createElement("style"), { textContent: styles }));
    for (const one of page.querySelectorAll("code.wide[id]")) {
      const copy = Object.assign(page.createElement("button"), { type: "button", textContent: "Copy", className: "button plain" });
      copy.setAttribute("aria-label", `Copy ${one.closest("dd")?.previousElementSibling.firstChild.textContent.trim() ?? "code"}`);
      copy.dataset.copy = "";
      one.parentElement.classList.add("row");
      one.after(copy);
    }
    document.replaceChild(document.adoptNode(page.documentElement), document.documentElement);
    document.documentElement.style.colorScheme = scheme;
    new ResizeObserver(size).observe(document.body);
    if (focus) document.querySelector("[aria-invalid]")?.focus();
    scrollTo(0, 0);
    size();
  };
  const clicked = (event) => {
    const path = event.composedPath();
    const copy = path.find((one) => one instanceof HTMLButtonElement && one.dataset.copy !== undefined);
    const link = path.find((one) => one instanceof HTMLAnchorElement);
    if (copy) tell({ copy: copy.previousElementSibling.textContent });
    if (!link) return;
    event.preventDefault();
    if (event.type === "click" && link.hasAttribute("href")) tell({ open: link.getAttribute("href") });
  };
  document.addEventListener("click", clicked, true);
  document.addEventListener("auxclick", clicked, true);
  document.addEventListener("submit", (event) => {
    event.preventDefault();
    const { target: form, submitter } = event;
    const fields = [...new FormData(form, submitter)].filter(([, value]) => typeof value === "string");
    const [method, action] = ["method", "action"].map((name) => getAttribute.call(form, name) ?? "");
    tell({ submit: [method, action, fields] });
  }, true);
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      tell({ save: true });
    }
  }, true);
  addEventListener("message", ({ source, ports: [port] }) => {
    if (source !== parent) return;
    tell = (what) => port.postMessage(what);
    port.onmessage = ({ data }) => {
      scheme = data.scheme ?? scheme;
      document.documentElement.style.colorScheme = scheme;
      if (data.html !== undefined) show(data);
    };
  }, { once: true });
}

const NOTHING_ELSE =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-redbooth'; form-action 'none'; base-uri 'none'";
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
  const frame = make("iframe", { className: "rb-page", title: "Page" });
  frame.setAttribute("sandbox", "allow-forms allow-scripts");
  frame.addEventListener("load", () => connect());
  frame.srcdoc = LOADER;
  const root = make("div", { className: "rb-window" }, bar, status, frame);
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "Browser window");
  el.append(root);

  let shown = null;
  let drawn = null; // by the document in the frame
  let port = null; // to the document in the frame
  let asked = false; // somebody did something in this window
  let slow = 0;

  const ask = (what) => {
    clearTimeout(slow);
    asked = true;
    root.classList.add("rb-busy");
    slow = setTimeout(() => { status.textContent = "Waiting for the kernel. It may still be running another cell."; }, SLOW);
    model.send(what);
  };
  const theme = () => { // the frame sees the system's light or dark, not JupyterLab's
    const lab = document.body.dataset.jpThemeLight;
    const scheme = lab === undefined ? "light dark" : lab === "true" ? "light" : "dark";
    frame.style.colorScheme = scheme;
    port?.postMessage({ scheme });
  };
  const draw = () => {
    if (!port || !shown) return;
    address.value = shown.address; // the whole of it can be read in the field, and nowhere else on this page
    back.disabled = !shown.back;
    frame.title = shown.title;
    status.textContent = shown.title;
    root.classList.remove("rb-busy");
    if (shown.focus) {
      shown.focus = false; // once
      root.scrollIntoView({ block: "nearest" });
      frame.focus();
    }
    if (drawn?.page === shown.page && drawn.html === shown.html) return; // else a click or typed text could be lost
    drawn = shown;
    port.postMessage({ html: shown.html, styles: shown.styles, focus: asked });
  };
  const fromFrame = async ({ data: { height, open, submit, save, copy } }) => {
    if (height) frame.style.setProperty("--page-height", `${height}px`);
    if (typeof open === "string") ask({ open, page: shown.page });
    if (Array.isArray(submit)) ask({ submit, page: shown.page });
    if (typeof copy === "string") {
      try {
        await navigator.clipboard.writeText(copy);
        status.textContent = "Copied";
      } catch { // browsers allow it only on https pages and on this machine
        status.textContent = "Your browser doesn't let this page copy. Select the value, and copy it by hand.";
      }
      setTimeout(() => { status.textContent = shown.title; }, NOTE);
    }
    if (save) {
      const keys = { key: "s", code: "KeyS", keyCode: 83, ctrlKey: true, bubbles: true };
      root.dispatchEvent(new KeyboardEvent("keydown", keys));
    }
  };
  const connect = () => {
    if (port) { // something took the place of our document: put ours back
      port.close();
      port = null;
      frame.srcdoc = LOADER;
      return;
    }
    const channel = new MessageChannel();
    port = channel.port1;
    drawn = null;
    port.onmessage = fromFrame;
    frame.contentWindow.postMessage("", "*", [channel.port2]);
    theme();
    draw();
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
    ask({ typed: address.value.trim() });
  });
  address.addEventListener("keydown", keep);
  model.on("msg:custom", fromKernel);
  const themes = new MutationObserver(theme);
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  theme();
  model.send({ ready: ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname) });

  return () => {
    clearTimeout(slow);
    themes.disconnect();
    port?.close();
    model.off("msg:custom", fromKernel);
  };
}

export default { render };
