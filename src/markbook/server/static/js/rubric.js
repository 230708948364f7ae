// Editing the rubric while marking: change, see the impact, save, then look at what a new criterion fits.

import { Lost, Stale, get, itemPath, post } from "./api.js";
import { h, icon, openDialog, percent, plural, points, setClean } from "./dom.js";

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const same = (a, b) => a.length === b.length && a.every((value, n) => value === b[n]);

function slug(says, taken) {
  const base = says.toLowerCase().normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").split("-").slice(0, 5).join("-") || "criterion";
  let name = /^[a-z]/.test(base) ? base : `c-${base}`;
  for (let n = 2; taken.has(name); n += 1) name = `${base}-${n}`;
  return name;
}

let unsaved = null; // {version, rows}: what was typed into a dialog that was shut without saving

const elsewhere = (id, words) => h("a", { href: `${location.pathname}#${encodeURIComponent(id)}`, target: "_blank", rel: "noopener" }, words);

/** `desk`: {rubric, open(id), reload(), changed(question)}. */
export function openRubric(desk) {
  let rubric = desk.rubric;
  let rows = [];
  let saved = false;
  const { body, foot, close } = openDialog("Edit the rubric", {
    wide: true,
    onclose: () => { unsaved = saved ? null : { version: rubric.version, rows }; },
  });
  const list = h("div", { class: "rubric-rows", oninput: () => touched(), onclick: (event) => removal(event) });
  const trouble = h("p", { class: "error", role: "alert", hidden: true });
  const impact = h("div", { class: "impact", "aria-live": "polite" });
  const preview = h("button", { type: "button", class: "button primary", onclick: look }, "See what changes");
  const save = h("button", { type: "button", class: "button primary", hidden: true, onclick: apply }, "Save this version");
  const add = h("button", { type: "button", class: "button", onclick: () => { const row = rowOf(null); rows.push(row); list.append(row.element); row.says.focus(); touched(); } }, "Add a criterion");

  function rowOf(criterion) {
    const key = criterion ? criterion.id : `new-${Math.random().toString(36).slice(2, 8)}`;
    const row = { criterion, removed: false };
    row.says = h("textarea", { id: `says-${key}`, rows: "2", maxlength: "1000", value: criterion ? criterion.says : "" });
    row.points = h("input", { id: `points-${key}`, type: "number", step: "0.25", value: criterion ? String(criterion.points) : "1" });
    row.evidence = h("textarea", { id: `evidence-${key}`, rows: "3", value: criterion ? criterion.evidence.join("\n") : "" });
    row.feedback = h("textarea", { id: `feedback-${key}`, rows: "2", value: criterion ? criterion.feedback : "" });
    const remove = h("button", { type: "button", class: "plain", "data-remove": true }, "Remove");
    row.element = h("fieldset", { class: "rubric-row" },
      h("legend", {}, criterion ? h("code", {}, criterion.id) : "New criterion"),
      h("div", { class: "rubric-main" },
        h("div", {}, h("label", { for: row.says.id }, "Says"), row.says),
        h("div", { class: "rubric-points" }, h("label", { for: row.points.id }, "Points"), row.points), remove),
      h("details", {}, h("summary", {}, "Ways of saying it, feedback"),
        h("label", { for: row.evidence.id }, "Ways of saying it, one a line"), row.evidence,
        h("label", { for: row.feedback.id }, "Feedback to the student"), row.feedback));
    return row;
  }

  function removal(event) {
    const button = event.target.closest("[data-remove]");
    const row = button && rows.find((other) => other.element.contains(button));
    if (!row) return;
    if (!row.criterion) {
      rows = rows.filter((other) => other !== row);
      row.element.remove();
      add.focus();
    } else {
      row.removed = !row.removed;
      row.element.classList.toggle("is-removed", row.removed);
      button.textContent = row.removed ? "Keep it after all" : "Remove";
    }
    touched();
  }

  function fill() {
    rows = rubric.criteria.map(rowOf);
    list.replaceChildren(...rows.map((row) => row.element));
    touched();
  }

  function touched() {
    impact.replaceChildren();
    trouble.hidden = true;
    preview.hidden = false;
    save.hidden = true;
  }

  function edits() {
    const taken = new Set(rubric.criteria.map((c) => c.id));
    const found = [];
    for (const { criterion, removed, ...row } of rows) {
      const value = { says: row.says.value.trim(), evidence: lines(row.evidence.value), feedback: row.feedback.value.trim() };
      const worth = row.points.value === "" ? NaN : Number(row.points.value);
      if (!removed && (!value.says || !Number.isFinite(worth))) {
        (value.says ? row.points : row.says).focus();
        throw new Error("Every criterion needs words and points.");
      }
      if (!criterion) {
        const id = slug(value.says, taken);
        taken.add(id);
        found.push({ kind: "add", criterion: id, points: worth, ...value });
      } else if (removed) found.push({ kind: "remove", criterion: criterion.id });
      else {
        const reword = { kind: "reword", criterion: criterion.id };
        if (value.says !== criterion.says.trim()) reword.says = value.says;
        if (value.evidence.length && !same(value.evidence, criterion.evidence.map((e) => e.trim()))) reword.evidence = value.evidence;
        if (value.feedback && value.feedback !== criterion.feedback.trim()) reword.feedback = value.feedback;
        if (Object.keys(reword).length > 2) found.push(reword);
        if (worth !== criterion.points) found.push({ kind: "repoint", criterion: criterion.id, points: worth });
      }
    }
    if (!found.length) throw new Error("Nothing is changed yet.");
    return found;
  }

  function fail(error) {
    if (error instanceof Stale && error.body.theirs) return theirs(error);
    trouble.textContent = error instanceof Lost ? "The connection is lost; what you typed is still here. Try again." : error.message;
    trouble.hidden = false;
    trouble.scrollIntoView({ block: "nearest" });
    return undefined;
  }

  async function look() {
    trouble.hidden = true;
    preview.disabled = true;
    try {
      const found = await post("rubric/preview", { edits: edits(), base_version: rubric.version });
      impact.replaceChildren(impactTable(found));
      preview.hidden = true;
      save.hidden = false;
      save.focus();
      impact.scrollIntoView({ block: "nearest" });
    } catch (error) {
      fail(error);
    } finally {
      preview.disabled = false;
    }
  }

  async function apply() {
    save.disabled = true;
    try {
      const applied = await post("rubric/apply", { edits: edits(), base_version: rubric.version });
      saved = true;
      desk.changed(applied.question);
      after(applied);
    } catch (error) {
      fail(error);
    } finally {
      save.disabled = false;
    }
  }

  function theirs(error) {
    // Somebody else edited first. Theirs becomes the base; what was typed here stays in the fields.
    const now = error.body.theirs;
    const before = new Map(rubric.criteria.map((c) => [c.id, c]));
    const differ = now.criteria.filter((c) => JSON.stringify(c) !== JSON.stringify(before.get(c.id)));
    const gone = rubric.criteria.filter((c) => !now.criteria.some((other) => other.id === c.id));
    impact.replaceChildren(h("section", { class: "notice-box" },
      h("h3", {}, "Somebody else edited this rubric meanwhile"),
      h("p", {}, "Nothing of yours was stored, and it is all still in the fields above. This is what they changed:"),
      h("ul", {}, differ.map((c) => h("li", {}, h("code", {}, c.id), ` ${points(c.points, true)}: ${c.says}`)), gone.map((c) => h("li", {}, h("code", {}, c.id), " was removed"))),
      h("p", { class: "row" },
        h("button", { type: "button", class: "button", onclick: () => { rubric = { ...rubric, ...now }; desk.reload(); fill(); } }, "Take theirs, drop mine"),
        h("button", { type: "button", class: "button", onclick: () => { rebase(now); desk.reload(); } }, "Put mine on top of theirs"))));
    preview.hidden = true;
    save.hidden = true;
    impact.scrollIntoView({ block: "nearest" });
  }

  function rebase(now) {
    const old = new Map(rubric.criteria.map((c) => [c.id, c]));
    const typed = new Map(rows.filter((row) => row.criterion).map((row) => [row.criterion.id, row]));
    const added = rows.filter((row) => !row.criterion);
    rubric = { ...rubric, ...now };
    rows = [...rubric.criteria.map((c) => {
      const row = rowOf(c);
      const mine = typed.get(c.id);
      const base = old.get(c.id);
      if (!mine || !base) return row;
      if (mine.says.value.trim() !== base.says.trim()) row.says.value = mine.says.value;
      if (Number(mine.points.value) !== base.points) row.points.value = mine.points.value;
      if (!same(lines(mine.evidence.value), base.evidence.map((e) => e.trim()))) row.evidence.value = mine.evidence.value;
      if (mine.feedback.value.trim() !== base.feedback.trim()) row.feedback.value = mine.feedback.value;
      if (mine.removed) {
        row.removed = true;
        row.element.classList.add("is-removed");
        row.element.querySelector("[data-remove]").textContent = "Keep it after all";
      }
      return row;
    }), ...added];
    list.replaceChildren(...rows.map((row) => row.element));
    touched();
  }

  function after({ impact: made, back_fill: fits }) {
    preview.hidden = true;
    body.replaceChildren(
      h("p", { class: "group-done", role: "status", tabindex: "-1" }, "Saved as version ", h("code", {}, made.rubric.version), `. ${made.students ? `${plural(made.students, "score", "scores")} changed.` : "No score changed."}`),
      fits.length ? h("section", {}, h("h3", {}, "Marked answers that the new criterion probably fits, best first"),
        h("ol", { class: "back-fill" }, fits.map((fit) => {
          const text = h("div", { class: "prose quote" }, fit.span || "…");
          get(itemPath(fit.item)).then(({ item }) => setClean(text, item.html)).catch(() => {});
          return h("li", {}, h("p", { class: "soft small" }, h("code", {}, fit.criterion), ` · ${percent(fit.probability)} likely`, fit.span ? [" · ", h("q", {}, fit.span)] : ""), text,
            h("button", { type: "button", class: "button", onclick: () => { close(); desk.open(fit.item); } }, "Open this answer"));
        }))) : null);
    foot.replaceChildren(h("span", { class: "spread" }), h("button", { type: "button", class: "button primary", onclick: close }, "Go on marking"));
    body.querySelector(".group-done").focus();
  }

  body.append(h("p", { class: "soft" }, "The change goes into the rubric’s file. Marks that exist are rescored; before that you see which."), list, h("p", {}, add), impact, trouble);
  foot.append(h("button", { type: "button", class: "button", onclick: () => { saved = true; close(); } }, "Leave it as it is"), h("span", { class: "spread" }), preview, save);
  if (unsaved && unsaved.version === rubric.version) {
    rows = unsaved.rows;
    list.replaceChildren(...rows.map((row) => row.element));
  } else fill();
}

function impactTable(found) {
  const many = found.changes.length > 50;
  return h("section", { class: "notice-box", tabindex: "-1" },
    h("h3", {}, "What this changes"),
    h("p", {}, h("b", {}, found.students ? `${plural(found.students, "student’s score changes", "students’ scores change")}, ${points(found.total, true)} points in all.` : "No score changes."),
      ` ${plural(found.moved, "mark moves", "marks move")} to the new version.`),
    found.notes.map((note) => h("p", { class: "soft" }, note)),
    found.changes.length ? h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scores that change" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Answer"), h("th", { scope: "col", class: "num" }, "Before"), h("th", { scope: "col", class: "num" }, "After"), h("th", { scope: "col", class: "num" }, "Change"), h("th", { scope: "col" }, "Ticks"))),
      h("tbody", {}, found.changes.slice(0, 50).map((change, n) => h("tr", {},
        h("td", {}, elsewhere(change.item, `Answer ${n + 1}`)),
        h("td", { class: "num" }, points(change.before)), h("td", { class: "num" }, h("b", {}, points(change.after))),
        h("td", { class: `num ${change.after < change.before ? "bad" : "good"}` }, points(change.after - change.before, true)),
        h("td", {}, same(change.earned_before, change.earned_after) ? h("span", { class: "soft" }, "the same") : h("span", {}, change.earned_before.filter((id) => !change.earned_after.includes(id)).map((id) => h("del", {}, id)))))),
        many ? h("tr", {}, h("td", { colspan: "5", class: "soft" }, `and ${found.changes.length - 50} more`)) : null))) : null,
    found.left.length ? h("div", {}, h("p", {}, icon("warn"), ` ${plural(found.left.length, "mark stays", "marks stay")} under the old version; a person has to decide:`),
      h("ul", {}, found.left.map((left) => h("li", {}, left.why, " ", elsewhere(left.item, "Look at it"))))) : null);
}
