// Groups of like answers: look at the outliers first, leave some out, mark the rest at once, undo.

import { get, groupPath, itemPath, post } from "./api.js";
import { h, openDialog, percent, plural, points, setClean, toast } from "./dom.js";
import { score } from "./score.js";

const FIRST = 12; // members whose text is fetched at once; the others when they are asked for

/** `desk`: {rubric, item, draft, say(error), after(items)}. */
export async function openGroups(desk) {
  const { groups } = await get("groups");
  if (!groups.length) return toast("No two answers to this question are alike enough for a group.");
  const { body, foot, close } = openDialog("Groups of like answers", { wide: true });
  const own = groups.find((group) => group.id === desk.item?.group);
  const picker = h("select", { id: "group-picker", onchange: () => show(groups[picker.selectedIndex]) },
    groups.map((group, n) => h("option", { value: group.id }, `Group ${n + 1}: ${plural(group.members.length, "answer", "answers")}${group.identical ? ", the same words" : ""}, ${group.open} to mark`)));
  const content = h("div", {});
  body.append(h("p", { class: "group-pick" }, h("label", { for: "group-picker" }, "Group"), " ", picker), content);
  if (own) picker.value = own.id;

  const show = (group) => showGroup(group, { ...desk, prefill: group === own }, content, foot, close);
  show(own || groups[0]);
  picker.focus();
  return undefined;
}

function showGroup(group, desk, content, foot, close) {
  const { rubric } = desk;
  const outliers = new Set(group.outliers);
  const members = [...group.members].sort((a, b) => outliers.has(b.id) - outliers.has(a.id));
  const draft = desk.prefill ? desk.draft : null;
  const boxes = new Map();
  const nothing = h("input", { type: "checkbox", id: "group-nothing" });
  const shown = h("b", {}, "–");
  const comment = h("textarea", { id: "group-comment", rows: "2", maxlength: "20000", value: draft ? draft.comment : "" });
  const trouble = h("p", { class: "error", role: "alert", hidden: true });
  const earned = () => rubric.criteria.map((c) => c.id).filter((id) => boxes.get(id).checked);
  const update = (event) => {
    if (event && event.target === nothing && nothing.checked) for (const box of boxes.values()) box.checked = false;
    else if (event && event.target.checked) {
      nothing.checked = false;
      const id = event.target.dataset.id;
      for (const ids of rubric.pick_one) if (ids.includes(id)) for (const other of ids) if (other !== id) boxes.get(other).checked = false;
    }
    const decided = nothing.checked || earned().length;
    shown.textContent = decided ? points(score(rubric, new Set(earned()), 0)) : "–";
  };
  const rows = rubric.criteria.map((c) => {
    const box = h("input", { type: "checkbox", "data-id": c.id, checked: Boolean(draft && draft.earned.has(c.id)), onchange: update });
    boxes.set(c.id, box);
    return h("label", { class: "check" }, box, h("span", {}, c.says), h("span", { class: "pts" }, points(c.points, true)));
  });
  nothing.checked = Boolean(draft && draft.decided && !draft.earned.size);
  nothing.addEventListener("change", update);
  rows.push(h("label", { class: "check" }, nothing, h("span", {}, rubric.start === "full" ? "Nothing to take away" : "Nothing earned")));

  const list = h("ul", { class: "members" }, members.map((member) => memberRow(member.id, { outlier: outliers.has(member.id), likeness: member.likeness })));
  [...list.querySelectorAll("li")].slice(0, FIRST).forEach(fill);
  const more = list.children.length > FIRST
    ? h("button", { type: "button", class: "plain", onclick: () => { [...list.children].forEach(fill); more.remove(); } }, `Read the other ${list.children.length - FIRST} too`)
    : null;
  content.replaceChildren(
    h("div", { class: "group-columns" },
      h("section", {}, h("h3", {}, "Answers: untick those to leave out"), list, more),
      h("section", {}, h("h3", {}, "One mark for all of them"), h("div", { class: "group-criteria" }, rows),
        h("label", { for: "group-comment" }, "Comment to each"), comment,
        h("p", { class: "decision-score" }, shown, ` of ${points(rubric.cap)}`), trouble)));
  update();

  const apply = h("button", { type: "button", class: "button primary", onclick: run }, "Mark the group");
  foot.replaceChildren(h("p", { class: "soft small" }, "Answers that a person marked otherwise before are left as they are, and listed."), h("span", { class: "spread" }), apply);

  async function run() {
    if (!nothing.checked && !earned().length) {
      trouble.textContent = "Tick a criterion, or “Nothing earned”.";
      trouble.hidden = false;
      return;
    }
    const skip = [...list.querySelectorAll("input")].filter((box) => !box.checked).map((box) => box.value);
    if (skip.length === members.length) {
      trouble.textContent = "Every answer is left out.";
      trouble.hidden = false;
      return;
    }
    apply.disabled = true;
    try {
      const result = await post(groupPath(group.id), { earned: earned(), comment: comment.value, skip });
      done(result);
    } catch (error) {
      trouble.textContent = error.message || "The connection is lost; nothing was stored. Try again.";
      trouble.hidden = false;
      apply.disabled = false;
    }
  }

  function done(result) {
    const { left, saved } = result;
    const undo = h("button", { type: "button", class: "button", onclick: async () => {
      undo.disabled = true;
      try {
        const { undone } = await post("groups/undo", { batch: result.batch });
        close();
        toast(`Taken back: ${plural(undone, "answer is", "answers are")} as before.`);
        desk.after();
      } catch (error) {
        undo.disabled = false;
        desk.say(error);
      }
    } }, "Undo for the whole group");
    content.replaceChildren(
      h("p", { class: "group-done", role: "status", tabindex: "-1" }, h("b", {}, plural(saved.length, "answer", "answers")), " marked at once.", result.unchanged.length ? ` ${result.unchanged.length} had this very mark already.` : ""),
      left.length ? h("section", {}, h("h3", {}, `Left as they are: ${left.length}`), h("ul", { class: "members" }, left.map((entry) => {
        const row = memberRow(entry, { tickable: false });
        fill(row);
        return row;
      }))) : null);
    undo.hidden = !result.batch;
    foot.replaceChildren(undo, h("span", { class: "spread" }), h("button", { type: "button", class: "button primary", onclick: close }, "Go on marking"));
    content.querySelector(".group-done").focus();
    desk.after();
  }
}

function memberRow(id, { outlier = false, likeness, tickable = true }) {
  const box = tickable ? h("input", { type: "checkbox", value: id, checked: true }) : null;
  return h("li", { "data-id": id, class: outlier ? "is-outlier" : "" },
    h(tickable ? "label" : "p", { class: "check" }, box, h("span", { class: "soft small" },
      outlier ? "least like the others · " : "", likeness === undefined ? "" : `${percent(likeness)} alike · `,
      h("span", { class: "member-state" }), box ? h("span", { class: "unseen" }, ". Include this answer") : null)),
    h("div", { class: "prose quote" }));
}

async function fill(row) {
  if (row.dataset.filled) return;
  row.dataset.filled = "yes";
  try {
    const { item } = await get(itemPath(row.dataset.id));
    setClean(row.querySelector(".prose"), item.html);
    row.querySelector(".member-state").textContent = item.mark ? ` marked ${points(item.mark.score)} by ${item.mark.marker}` : " not marked yet";
  } catch {
    row.querySelector(".prose").textContent = "This answer cannot be shown now.";
    delete row.dataset.filled;
  }
}
