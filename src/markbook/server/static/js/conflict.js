// Somebody else decided about the same answer meanwhile: both decisions side by side, one is chosen.

import { h, openDialog, setClean, when } from "./dom.js";
import { decisionCard } from "./view.js";

const open = [];

/** Show both; `choose` gets "theirs", "mine" or "later". Conflicts come one after another. */
export function askWhich({ yours, theirs, item, rubric, error }, choose) {
  const ask = () => {
    let chosen = "later";
    const { body, foot, close } = openDialog("Somebody else marked this answer meanwhile", {
      wide: true,
      onclose: () => {
        open.shift();
        choose(chosen);
        if (open.length) open[0]();
      },
    });
    const pick = (what) => () => { chosen = what; close(); };
    const text = setClean(h("div", { class: "prose quote conflict-answer" }), item ? item.html : "");
    body.append(
      h("p", { class: "soft" }, `${error} Nothing that you typed is lost.`),
      text,
      h("div", { class: "versions" },
        decisionCard("Yours, not stored", yours, rubric),
        decisionCard(theirs ? `Stored now: by ${theirs.marker}, ${when(theirs.marked_at)}` : "Stored now", theirs, rubric)));
    foot.append(
      h("button", { type: "button", class: "button", onclick: pick("later") }, "Look at the answer again, with mine"),
      h("span", { class: "spread" }),
      h("button", { type: "button", class: "button", onclick: pick("theirs") }, "Keep theirs"),
      h("button", { type: "button", class: "button primary", onclick: pick("mine") }, "Save mine instead"));
  };
  open.push(ask);
  if (open.length === 1) ask();
}
