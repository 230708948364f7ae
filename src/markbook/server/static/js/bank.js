// The comment bank: comments used before, found while typing.

import { Lost, get } from "./api.js";
import { $, announce, h, plural } from "./dom.js";

let active = -1;
let asked = 0;
let timer = 0;

/** Wire the search field; `insert` gets the chosen comment. */
export function wireBank(insert) {
  const field = $("bank");
  const list = $("bank-list");

  const shut = () => {
    list.hidden = true;
    active = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (option) => {
    insert(option.dataset.text);
    field.value = "";
    shut();
  };
  const move = (step) => {
    const options = [...list.children].filter((o) => o.role === "option");
    if (!options.length) return;
    active = (active + step + options.length) % options.length;
    options.forEach((option, n) => option.setAttribute("aria-selected", String(n === active)));
    options[active].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", options[active].id);
  };
  const look = async () => {
    const turn = ++asked;
    try {
      const { comments } = await get(`comments?search=${encodeURIComponent(field.value.trim())}`);
      if (turn !== asked || document.activeElement !== field) return;
      active = -1;
      list.replaceChildren(...(comments.length
        ? comments.slice(0, 12).map((text, n) => h("li", { role: "option", id: `bank-${n}`, "aria-selected": "false", "data-text": text, onmousedown: (event) => { event.preventDefault(); choose(event.currentTarget); } }, text))
        : [h("li", { class: "soft", role: "option", "aria-disabled": "true", "aria-selected": "false" }, field.value ? "No comment with these words." : "No comments on this assignment yet.")]));
      list.hidden = false;
      field.setAttribute("aria-expanded", "true");
      announce(plural(comments.length, "comment", "comments"));
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      shut();
    }
  };
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, 120); });
  field.addEventListener("focus", look);
  field.addEventListener("blur", () => { asked += 1; shut(); });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const options = [...list.querySelectorAll("[data-text]")];
      if (options.length) choose(options[Math.max(active, 0)]);
    }
  });
}
