// The keys: shown, changed, switched off.

import { h, openDialog } from "./dom.js";
import { ACTIONS, enable, enabled, keyOf, remap, reset } from "./keys.js";

const shown = (key) => (key === " " ? "Space" : key);

export function openHelp() {
  const { body, foot } = openDialog("Keys");
  const said = h("p", { class: "soft", role: "status" }, "To change a key, press its button, then the new key.");
  const table = h("div", { class: "keys" });

  const draw = () => {
    table.replaceChildren(
      h("p", { class: "key-row" }, h("span", {}, "Tick or untick criteria"), h("span", { class: "key-fixed" }, h("kbd", {}, "1"), " … ", h("kbd", {}, "9"))),
      ...ACTIONS.map(([action, , words]) => {
        const button = h("button", { type: "button", class: "button key-button", "aria-label": `${words}: ${shown(keyOf(action))}. Change`, onclick: () => take(action, words, button) }, h("kbd", {}, shown(keyOf(action))));
        return h("p", { class: "key-row" }, h("span", {}, words), button);
      }),
      h("p", { class: "key-row" }, h("span", {}, "Also: previous and next answer"), h("span", { class: "key-fixed" }, h("kbd", {}, "←"), " ", h("kbd", {}, "→"))),
      h("p", { class: "key-row" }, h("span", {}, "Leave a field · save from a field"), h("span", { class: "key-fixed" }, h("kbd", {}, "Esc"), " · ", h("kbd", {}, "Ctrl Enter"))),
    );
  };
  const take = (action, words, button) => {
    button.classList.add("is-waiting");
    said.textContent = `${words}: press the new key, or Esc.`;
    const listener = (event) => {
      if (["Shift", "Control", "Alt", "Meta", "Tab"].includes(event.key)) return;
      event.preventDefault();
      event.stopPropagation();
      document.removeEventListener("keydown", listener, true);
      if (event.key !== "Escape") {
        const taken = remap(action, event.key);
        const other = ACTIONS.find(([name]) => name === taken);
        said.textContent = taken
          ? `${shown(event.key)} is taken: ${other ? other[2] : "it ticks a criterion"}.`
          : `${words}: now ${shown(event.key)}.`;
      }
      draw();
      table.querySelectorAll("button")[ACTIONS.findIndex(([name]) => name === action)].focus();
    };
    document.addEventListener("keydown", listener, true);
  };
  draw();
  const box = h("input", { type: "checkbox", checked: enabled(), onchange: () => enable(box.checked) });
  body.append(said, table);
  foot.append(h("label", { class: "check" }, box, "Single keys do things"),
    h("span", { class: "spread" }),
    h("button", { type: "button", class: "button", onclick: () => { reset(); draw(); said.textContent = "All keys are as they came."; } }, "All as they came"));
}
