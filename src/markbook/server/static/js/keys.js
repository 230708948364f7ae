// The keyboard. One table of actions; which key does what can be changed and is kept.

import { preference, prefer } from "./store.js";

export const ACTIONS = [
  ["save", "Enter", "Save and show the next answer"],
  ["accept", "a", "Take over what is suggested"],
  ["nothing", "0", "Nothing earned"],
  ["next", "j", "Leave for now, next answer"],
  ["previous", "k", "Previous answer"],
  ["comment", "c", "Write a comment"],
  ["search", "/", "Search comments used before"],
  ["adjust", "p", "Adjust the points"],
  ["flag", "f", "Flag, or take the flag away"],
  ["undo", "u", "Take back the last decision"],
  ["group", "g", "Mark the group of like answers"],
  ["history", "h", "History of this answer"],
  ["reveal", "r", "Reveal the student’s name"],
  ["edit", "e", "Edit the rubric"],
  ["model", "m", "Model answer"],
  ["exemplars", "x", "Exemplars"],
  ["similar", "s", "Similar answers"],
  ["prompt", "t", "Fold the question in or out"],
  ["switch", "q", "Go to another question"],
  ["help", "?", "Keys"],
];
const FIXED = { ArrowRight: "next", ArrowLeft: "previous" };

let table = { ...Object.fromEntries(ACTIONS.map(([name, key]) => [name, key])), ...preference("keys", {}) };
let on = preference("keys-on", true);

export const keyOf = (action) => table[action];
export const enabled = () => on;
export function enable(value) {
  on = value;
  prefer("keys-on", value);
  label();
}
/** Give an action another key; returns the action that has it already, or null when done. */
export function remap(action, key) {
  const other = Object.keys(table).find((name) => name !== action && table[name] === key);
  if (other || /^[1-9]$/.test(key)) return other || "criteria";
  table[action] = key;
  prefer("keys", table);
  label();
  return null;
}
export function reset() {
  table = Object.fromEntries(ACTIONS.map(([name, key]) => [name, key]));
  prefer("keys", null);
  label();
}

/** Write the keys that are in force on the page. */
export function label(root = document) {
  for (const shown of root.querySelectorAll("kbd[data-key-of]")) {
    shown.textContent = table[shown.dataset.keyOf];
    shown.hidden = !on;
  }
}

const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
// A button that was reached with Tab is pressed by Enter; one that was clicked does not keep it.
const pressable = (target) => target.closest("button, a[href], summary, [role=option]");

/** Listen: `act` gets an action's name or "criterion" with a number. */
export function listen(act) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
    const field = typing(event.target);
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      act("save");
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      if (field) field.blur();
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
      return;
    }
    if (field || !on) return;
    if ((event.key === "Enter" || event.key === " ") && pressable(event.target)) return;
    if (/^[1-9]$/.test(event.key)) {
      event.preventDefault();
      act("criterion", Number(event.key));
      return;
    }
    if (event.repeat && event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    const action = Object.keys(table).find((name) => table[name] === event.key) || FIXED[event.key];
    if (!action) return;
    event.preventDefault();
    act(action);
  });
  // Enter after a click means "save and next": what was clicked does not hold on to the keyboard.
  document.addEventListener("click", (event) => {
    const button = event.target.closest(".criterion, [data-action]");
    if (button && event.detail > 0 && document.activeElement === button) button.blur();
  });
}
