// Small helpers for making and finding elements. Text is always set as text; the only HTML that
// goes in is what the server has cleaned, through `setClean`.

export const $ = (id) => document.getElementById(id);

/** Make an element: h("p", {class: "x", onclick: f, "aria-label": "y"}, child, "text", ...). */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "value" || name === "hidden" || name === "disabled" || name === "checked") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  check: "M5 12.5l4.5 4.5L19 7.5",
  minus: "M6 12h12",
  clock: "M12 7v5l3.5 2M12 3a9 9 0 100 18 9 9 0 000-18z",
  flag: "M6 21V4h11l-2 4 2 4H6",
  warn: "M12 4l9 16H3zM12 10v4.5M12 17.2v.3",
  cross: "M6 6l12 12M18 6L6 18",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Put in HTML that the server has already cleaned; the only place where HTML is taken as HTML. */
export function setClean(element, html) {
  element.innerHTML = html;
  for (const link of element.querySelectorAll("a[href]")) link.target = "_blank";
  return element;
}

/** Points as people write them: 1.5, 2, a true minus sign; signed: +1. */
export function points(value, signed = false) {
  const rounded = Math.round(value * 100) / 100;
  const sign = rounded < 0 ? "\u2212" : signed && rounded > 0 ? "+" : "";
  return sign + String(Math.abs(rounded));
}

export const plural = (n, one, many) => `${n} ${n === 1 ? one : many}`;
export const percent = (share) => `${Math.round(100 * share)} %`;

export function when(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.valueOf())) return iso;
  return date.toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

/** Say something to screen readers, also when it is what was said before. */
export function announce(text) {
  const live = $("live");
  live.textContent = "";
  setTimeout(() => { live.textContent = text; }, 30);
}

let toastTimer = 0;
/** Say something to everybody for a few seconds; `button` is [label, action]. */
export function toast(text, button) {
  const box = $("toast");
  clearTimeout(toastTimer);
  box.replaceChildren(h("span", {}, text));
  if (button) box.append(h("button", { type: "button", class: "plain", onclick: () => { box.hidden = true; button[1](); } }, button[0]));
  box.hidden = false;
  announce(text);
  toastTimer = setTimeout(() => { box.hidden = true; }, button ? 12000 : 6000);
}

/** Open a modal dialog with a title; returns {dialog, body, foot, close}. Gone from the page when closed. */
export function openDialog(title, { wide = false, onclose } = {}) {
  const id = `dialog-${Math.random().toString(36).slice(2, 8)}`;
  const before = document.activeElement;
  const body = h("div", { class: "dialog-body" });
  const foot = h("div", { class: "dialog-foot" });
  const dialog = h(
    "dialog",
    { class: wide ? "wide" : "", "aria-labelledby": id },
    h("div", { class: "dialog-head" }, h("h2", { id, tabindex: "-1" }, title),
      h("button", { type: "button", class: "plain", "aria-label": "Close", onclick: () => end() }, icon("cross"))),
    body,
    foot,
  );
  // "close" comes a moment after the dialog is shut, and a key pressed in between must find it ended
  let ended = false;
  function end() {
    if (ended) return;
    ended = true;
    dialog.close();
    dialog.remove();
    if (onclose) onclose();
    if (before && before.isConnected && before !== document.body) before.focus();
  }
  dialog.addEventListener("cancel", (event) => { event.preventDefault(); end(); });
  dialog.addEventListener("close", end);
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector("h2").focus();
  return { dialog, body, foot, close: end };
}
