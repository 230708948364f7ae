// How one answer, its criteria and its decision are shown. Reads the desk's state, changes none.

import { $, h, icon, percent, plural, points, setClean, when } from "./dom.js";
import { showMath } from "./math.js";
import { counted, score } from "./score.js";

const suggestionOf = (item, id) => item.suggestions.find((s) => s.criterion === id);

/** A stored decision in words: "nothing earned" and "not marked yet" are never the same thing. */
export function stateOf(item) {
  if (item.mark && item.stale) return ["stale", "clock", `Changed after ${item.mark.marker} marked it`];
  if (item.mark && !item.mark.earned.length && !item.mark.adjustment)
    return ["nothing", "minus", `Marked: nothing ticked, ${points(item.mark.score)} · ${item.mark.marker}`];
  if (item.mark) return ["marked", "check", `Marked: ${points(item.mark.score)} · ${item.mark.marker}`];
  return ["open", "clock", "Not marked yet"];
}

export function showState(item) {
  const [kind, picture, words] = stateOf(item);
  $("state").className = `state is-${kind}`;
  $("state").replaceChildren(icon(picture), h("span", {}, words));
  if (item.mark) $("state").title = when(item.mark.marked_at);
  else $("state").removeAttribute("title");
  $("flag").setAttribute("aria-pressed", String(item.flagged));
  $("flag").firstChild.data = item.flagged ? "Flagged " : "Flag ";
  $("flag-note-line").hidden = !item.flagged;
  if (document.activeElement !== $("flag-note")) $("flag-note").value = item.flag_note;
}

function notices(item) {
  const found = [];
  if (item.leased_to) found.push([`${item.leased_to} has this answer open too. If both of you save, the second is asked.`, "wait"]);
  if (item.stale) found.push(["The student’s answer changed after it was marked. The ticks are those of the earlier mark.", "wait"]);
  if (item.status === "not-asked") found.push(["The student’s paper does not contain this question.", "soft"]);
  if (item.expected && item.expected.flags.length)
    found.push([`The grader calls this answer odd: ${item.expected.flags.join(", ")}. Read it before you trust a suggestion.`, "wait"]);
  if (item.status === "missing") found.push(["The submission has no cell for this question.", "soft"]);
  return found;
}

/* As it was typed: no Markdown, but hidden characters stay marked. */
export function showTyped(item) {
  $("answer").replaceChildren(setClean(h("div", { class: "as-typed" }), item.typed));
}

export function showAnswer(item, rubric) {
  const answer = $("answer");
  $("typed").setAttribute("aria-pressed", "false");
  $("answer-title").textContent = item.position ? `Answer ${item.position}` : "Answer";
  $("place").textContent = item.position ? `${item.position} of ${item.total}` : "";
  $("notice").replaceChildren(...notices(item).map(([words, kind]) => h("p", { class: `notice-line is-${kind}` }, words)));
  if (item.text.trim()) {
    setClean(answer, item.html);
    number(answer, rubric);
    showMath(answer);
  } else {
    answer.replaceChildren(h("p", { class: "blank" }, item.status === "answered" ? "The answer is empty." : "Left blank."));
  }
  $("answer-box").setAttribute("aria-busy", "false");
  showState(item);
}

/** Put the criterion's key number behind its passage. */
function number(answer, rubric) {
  const keys = new Map(rubric.criteria.map((c, n) => [c.id, n + 1]));
  for (const passage of answer.querySelectorAll("mark[data-criterion]")) {
    const numbers = passage.dataset.criterion.split(" ").map((id) => keys.get(id)).filter(Boolean);
    const next = passage.nextElementSibling;
    const goes_on = next && next.matches("mark") && next.dataset.criterion === passage.dataset.criterion
      && !(passage.nextSibling.data || "").trim();
    if (numbers.length && !goes_on) passage.append(h("sup", { class: "n", "aria-hidden": "true" }, numbers.join(" ")));
  }
}

/** Emphasise the passages of one criterion; none: all alike again. */
export function light(id) {
  $("answer").classList.toggle("has-lit", Boolean(id));
  for (const passage of $("answer").querySelectorAll("mark[data-criterion]"))
    passage.classList.toggle("lit", Boolean(id) && passage.dataset.criterion.split(" ").includes(id));
  for (const row of $("criteria").querySelectorAll("[data-id]")) row.classList.toggle("lit", row.dataset.id === id);
}

function suggested(suggestion) {
  if (!suggestion) return null;
  if (suggestion.awarded === null)
    return h("span", { class: "ghost is-unsure" }, h("span", { class: "ghost-tag" }, "unsure"), suggestion.note ? ` ${suggestion.note}` : "");
  if (!suggestion.awarded) return null;
  const meter = h("span", { class: "confidence", "aria-hidden": "true" });
  const fill = h("i");
  fill.style.width = percent(suggestion.confidence).replace(" ", "");
  meter.append(fill);
  return h("span", { class: "ghost" },
    h("span", { class: "ghost-tag" }, "suggested ", meter, ` ${percent(suggestion.confidence)}`),
    suggestion.span ? h("q", { class: "span" }, shorten(suggestion.span)) : null,
    suggestion.note ? h("span", { class: "from" }, ` ${suggestion.note}`) : null);
}

const shorten = (text) => (text.length > 160 ? `${text.slice(0, 150).trimEnd()} …` : text);

export function showCriteria(item, rubric, toggle, nothing) {
  const rows = rubric.criteria.map((criterion, n) => {
    const suggestion = suggestionOf(item, criterion.id);
    const row = h("button", {
      type: "button",
      class: `criterion${criterion.points < 0 ? " is-fault" : ""}${suggestion && suggestion.awarded ? " is-suggested" : ""}`,
      "data-id": criterion.id,
      "aria-pressed": "false",
      onclick: () => toggle(criterion.id),
      onmouseenter: () => light(criterion.id),
      onmouseleave: () => light(null),
      onfocus: () => light(criterion.id),
      onblur: () => light(null),
    },
    h("kbd", { class: "key", "aria-hidden": "true" }, n < 9 ? String(n + 1) : "·"),
    h("span", { class: "tick", "aria-hidden": "true" }, icon("check")),
    h("span", { class: "says" }, h("span", { class: "words" }, criterion.says), suggested(suggestion), h("span", { class: "not-counted", hidden: true }, "does not count: only one of these does")),
    h("span", { class: "pts" }, points(criterion.points, true), h("span", { class: "unseen" }, Math.abs(criterion.points) === 1 ? " point" : " points")));
    return row;
  });
  const full = rubric.start === "full";
  const none = h("button", { type: "button", class: "criterion is-none", id: "nothing", "aria-pressed": "false", onclick: nothing },
    h("kbd", { class: "key", "data-key-of": "nothing", "aria-hidden": "true" }, "0"),
    h("span", { class: "tick", "aria-hidden": "true" }, icon("minus")),
    h("span", { class: "says" }, h("span", { class: "words" }, full ? "Nothing to take away" : "Nothing earned")),
    h("span", { class: "pts" }, points(full ? rubric.cap : Math.max(0, rubric.floor))));
  $("criteria").replaceChildren(
    ...(full ? [h("p", { class: "soft small" }, `Starts with all ${points(rubric.cap)} points; ticks take away.`)] : []),
    ...groupedByChoice(rows, rubric), none);
  const yes = item.suggestions.filter((s) => s.awarded);
  const unsure = item.suggestions.filter((s) => s.awarded === null).length;
  const accept = $("accept");
  accept.hidden = !item.suggestions.length;
  accept.classList.toggle("is-refused", Boolean(item.expected?.refused));
  if (item.suggestions.length) {
    const all = score(rubric, new Set(yes.map((s) => s.criterion)), 0);
    accept.replaceChildren(h("span", {}, "Take over the suggestion: ",
      h("b", {}, yes.length ? `${points(all)} of ${points(rubric.cap)}` : `nothing ticked, ${points(all)}`),
      unsure ? h("span", { class: "soft" }, ` · unsure about ${unsure}`) : ""), " ", h("kbd", { "data-key-of": "accept" }, "a"));
  }
}

/** What is expected of the answer, quietly: it helps to choose what to read, and is never a mark. */
export function showExpected(item, rubric) {
  const line = $("expected");
  const said = item.expected;
  line.hidden = !said;
  if (!said) return line.replaceChildren();
  if (said.refused) return line.replaceChildren(`No score to rely on: ${said.refused}`);
  const tenths = Math.round(10 * said.confidence);
  const chance = tenths >= 10 ? "nearly always" : tenths < 1 ? "hardly ever" : `about ${tenths} times in 10`;
  return line.replaceChildren("Expected ", h("b", {}, `${tenth(said.mean)} ± ${tenth(said.sd)}`), ` of ${points(rubric.cap)} · `,
    h("span", { title: `A person’s mark is within ${tenth(rubric.cap / 10)} points of ${tenth(said.likely)} ${chance}` }, `${tenth(said.likely)} fits ${chance}`), ` · ${said.why}`);
}

const tenth = (value) => value.toFixed(1);

/** Put neighbours of which at most one counts into a box that says so. */
function groupedByChoice(rows, rubric) {
  const out = [];
  const group = (row) => rubric.pick_one.find((ids) => ids.includes(row.dataset.id));
  for (const row of rows) {
    const ids = group(row);
    const last = out[out.length - 1];
    if (!ids) out.push(row);
    else if (last && last.choice === ids) last.append(row);
    else {
      const box = h("div", { class: "choice", role: "group", "aria-label": "At most one of these" }, h("p", { class: "choice-label" }, "at most one"), row);
      box.choice = ids;
      out.push(box);
    }
  }
  return out;
}

export function showDecision(item, rubric, draft, { changed, decided }) {
  const counts = counted(rubric, draft.earned);
  for (const row of $("criteria").querySelectorAll("[data-id]")) {
    const ticked = draft.earned.has(row.dataset.id);
    row.setAttribute("aria-pressed", String(ticked));
    row.querySelector(".not-counted").hidden = !(ticked && !counts.has(row.dataset.id));
  }
  const nothing = decided && !draft.earned.size;
  $("nothing").setAttribute("aria-pressed", String(nothing));
  for (const passage of $("answer").querySelectorAll("mark[data-criterion]"))
    passage.classList.toggle("ticked", passage.dataset.criterion.split(" ").some((id) => draft.earned.has(id)));
  const total = score(rubric, draft.earned, draft.adjustment);
  $("score-number").textContent = decided ? points(total) : "–";
  $("score-of").textContent = `of ${points(rubric.cap)}`;
  $("score").className = `score ${decided ? (nothing && !draft.adjustment ? "is-nothing" : "is-decided") : "is-open"}`;
  $("score-state").textContent = !decided
    ? "not marked yet"
    : changed ? "not saved yet" : nothing ? "marked: nothing ticked" : "marked";
  const adjusting = draft.adjustment !== 0 || draft.reason !== "";
  if (adjusting) openAdjust(true);
}

export function openAdjust(open) {
  $("adjust-fields").hidden = !open;
  $("adjust-open").setAttribute("aria-expanded", String(open));
}

const earnedWords = (ids, rubric) => ids.map((id) => (rubric.criteria.find((c) => c.id === id) || { says: `${id} (no longer in the rubric)` }).says);

/** A decision to look at: ticks, adjustment, comment. */
export function decisionCard(title, decision, rubric, extra = null) {
  if (!decision) return h("section", { class: "decision" }, h("h3", {}, title), h("p", { class: "soft" }, "No mark: not marked yet."), extra);
  const words = earnedWords(decision.earned, rubric);
  const total = decision.score ?? score(rubric, new Set(decision.earned), decision.adjustment || 0);
  return h("section", { class: "decision" },
    h("h3", {}, title),
    h("p", { class: "decision-score" }, h("b", {}, points(total)), ` of ${points(rubric.cap)}`),
    words.length ? h("ul", { class: "ticks" }, words.map((w) => h("li", {}, icon("check"), h("span", {}, w)))) : h("p", {}, "Nothing ticked."),
    decision.adjustment ? h("p", {}, `Adjusted by ${points(decision.adjustment, true)}: ${decision.reason}`) : null,
    decision.comment ? h("p", { class: "quote" }, decision.comment) : h("p", { class: "soft" }, "No comment."),
    extra);
}

export function showExemplars(rubric) {
  $("exemplars-n").textContent = rubric.exemplars.length ? `· ${rubric.exemplars.length}` : "";
  $("exemplars-box").hidden = !rubric.exemplars.length;
  $("exemplars").replaceChildren(...rubric.exemplars.map((exemplar) => {
    const text = setClean(h("div", { class: "prose quote" }), exemplar.html);
    showMath(text);
    const total = score(rubric, new Set(exemplar.earns), 0);
    return h("div", { class: "other" }, text, h("p", { class: "soft small" }, h("b", {}, points(total)), " · ",
      exemplar.earns.length ? earnedWords(exemplar.earns, rubric).join(" · ") : "nothing earned"));
  }));
}

export function showSimilar(item, rubric, open) {
  $("similar-n").textContent = item.similar.length ? `· ${item.similar.length}` : "";
  $("similar-box").hidden = !item.similar.length;
  $("similar").replaceChildren(...item.similar.map((other) => {
    const text = setClean(h("div", { class: "prose quote" }), other.html);
    const said = other.mark ? [h("b", {}, points(other.mark.score)), other.mark.earned.length ? ` · ${earnedWords(other.mark.earned, rubric).join(" · ")}` : " · nothing ticked"] : ["not marked yet"];
    return h("div", { class: "other" }, text, h("p", { class: "soft small" }, `${percent(other.likeness)} alike · `, said, " ",
      h("button", { type: "button", class: "plain", onclick: () => open(other.id) }, "Open")));
  }));
}

const WHAT = { mark: "marked", group: "marked with its group", accept: "accepted by rule", undo: "took back", "undo of a group": "took back the group", rescored: "rescored by a rubric edit", revealed: "revealed the name", flag: "flagged", flagged: "flagged", unflagged: "took the flag away", remove: "removed the mark" };

export function showHistory(lines, rubric) {
  const state = (s) => (s ? `${points(s.score)}${s.earned.length ? ` (${s.earned.join(", ")})` : " (nothing ticked)"}` : "not marked");
  $("history").replaceChildren(lines.length
    ? h("ol", { class: "history" }, lines.map((line) => h("li", {},
      h("p", {}, h("b", {}, line.who), ` ${WHAT[line.what] || line.what}`, line.rule ? h("span", { class: "soft" }, ` by the rule ${line.rule}`) : "", h("time", { datetime: line.at, class: "soft" }, ` · ${when(line.at)}`)),
      line.before || line.after ? h("p", { class: "soft" }, `${state(line.before)} → ${state(line.after)}`) : null,
      line.note ? h("p", { class: "quote" }, line.note) : null,
      line.after && line.after.comment ? h("p", { class: "quote" }, line.after.comment) : null)))
    : h("p", { class: "soft" }, "Nothing has happened to this answer yet."));
}

export function showProgress(p) {
  const bar = $("meter-bar");
  const parts = { marked: p.marked, stale: p.stale, suggested: p.suggested, waiting: p.waiting, blank: p.blank + p.not_asked + p.missing };
  for (const [name, n] of Object.entries(parts)) bar.querySelector(`.p-${name}`).style.flexGrow = String(n);
  $("meter-text").textContent = p.open ? `${p.marked} of ${p.marked + p.open} marked` : `all ${p.marked} marked`;
  $("meter").title = `${p.marked} marked, ${p.suggested} suggested, ${p.waiting} waiting, ${p.stale} changed after marking, ${plural(parts.blank, "has", "have")} no answer${p.flagged ? `, ${p.flagged} flagged` : ""}`;
}
