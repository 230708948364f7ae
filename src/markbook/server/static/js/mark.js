// The marking view: what is open, what was decided about it, and what comes next.
// Decisions go out through the outbox, so that the next answer is shown without waiting for anything.

import { Lost, Refused, get, itemPath, post } from "./api.js";
import { wireBank } from "./bank.js";
import { askWhich } from "./conflict.js";
import { $, announce, h, openDialog, plural, points, toast } from "./dom.js";
import { openGroups } from "./groups.js";
import { openHelp } from "./help.js";
import { keyOf, label, listen } from "./keys.js";
import { showMath } from "./math.js";
import * as outbox from "./outbox.js";
import { openRubric } from "./rubric.js";
import { score } from "./score.js";
import { draft as keptDraft, dropDraft, keepDraft, prefer, preference } from "./store.js";
import * as view from "./view.js";

let rubric = null; // the question with its criteria, as the server told it
let item = null; // the answer that is shown
let draft = null; // {earned: Set, nothing, adjustment, reason, comment, row_version}
let ahead = null; // the next answer, asked for already: {after, item, promise}
let trail = []; // answers in the order in which they were shown
let at = -1;
let wantsNext = false; // Enter was pressed while the connection was lost
const known = new Map(); // answers that this page has seen, newest state
const done = []; // answers decided here, for undo

const order = () => ({ by: $("order").value, only: $("only").value });
const decided = () => draft.earned.size > 0 || draft.nothing || draft.adjustment !== 0;

// --- drafts ----------------------------------------------------------------------------------------

function fromMark(found) {
  const mark = found.mark;
  return {
    earned: new Set(mark ? mark.earned : []),
    nothing: Boolean(mark && !found.stale && !mark.earned.length),
    adjustment: mark ? mark.adjustment : 0,
    reason: mark ? mark.reason : "",
    comment: mark ? mark.comment : "",
    row_version: found.row_version,
  };
}

function sameAsStored() {
  const stored = fromMark(item);
  return stored.nothing === draft.nothing && stored.adjustment === draft.adjustment && stored.reason === draft.reason
    && stored.comment === draft.comment && stored.earned.size === draft.earned.size && [...stored.earned].every((id) => draft.earned.has(id));
}

function keep() {
  if (sameAsStored() && !outbox.isPending(item.id)) dropDraft(item.id);
  else keepDraft(item.id, { ...draft, earned: [...draft.earned] });
}

function restore(found) {
  const kept = keptDraft(found.id);
  if (!kept) return [fromMark(found), false];
  const ids = new Set(rubric.criteria.map((c) => c.id));
  return [{ ...kept, earned: new Set(kept.earned.filter((id) => ids.has(id))) }, true];
}

function changed() {
  keep();
  showDecision();
  $("saved").textContent = sameAsStored() ? "" : "Draft kept in this browser.";
}

function showDecision() {
  view.showDecision(item, rubric, draft, { decided: decided(), changed: !item.mark || item.stale || !sameAsStored() });
}

// --- showing ---------------------------------------------------------------------------------------

function remember(found) {
  known.delete(found.id);
  known.set(found.id, found);
  if (known.size > 300) known.delete(known.keys().next().value);
}

function show(found, { focus = true } = {}) {
  performance.mark("markbook:show");
  item = found;
  remember(found);
  const [start, restored] = restore(found);
  draft = start;
  document.body.classList.remove("is-finished");
  $("finished")?.remove();
  view.showAnswer(found, rubric);
  view.showCriteria(found, rubric, toggle, nothing);
  view.showExpected(found, rubric);
  $("adjustment").value = draft.adjustment ? String(draft.adjustment) : "";
  $("reason").value = draft.reason;
  $("reason-why").hidden = true;
  $("comment").value = draft.comment;
  view.openAdjust(false);
  showDecision();
  label();
  view.showSimilar(found, rubric, openItem);
  $("group-line").hidden = !found.group;
  $("group-text").textContent = "Other answers say the same, or nearly the same.";
  $("reveal").firstChild.data = "Name hidden ";
  $("saved").textContent = restored ? (outbox.isPending(found.id) ? "Kept here; waiting to be stored." : "Your draft is back.") : "";
  if ($("history-box").open) loadHistory();
  history.replaceState(null, "", `#${encodeURIComponent(found.id)}`);
  if (focus) {
    window.scrollTo(0, 0);
    $("deciding-scroll").scrollTop = 0;
    $("answer-title").focus({ preventScroll: true });
    announce(`${$("answer-title").textContent}. ${$("state").textContent}.`);
  }
  lookAhead();
  performance.measure("markbook:shown", "markbook:show");
}

function goTo(found, options) {
  trail = trail.slice(0, at + 1);
  if (trail[at] !== found.id) trail.push(found.id);
  at = trail.length - 1;
  show(found, options);
}

function finished() {
  item = null;
  ahead = null;
  document.body.classList.add("is-finished");
  const links = [...document.querySelectorAll("#switcher a")];
  const here = links.findIndex((link) => link.getAttribute("aria-current"));
  const next = links[here + 1];
  const open = $("only").value === "open";
  $("finished")?.remove();
  $("answer-box").after(h("div", { id: "finished", class: "finished", tabindex: "-1" },
    h("h2", {}, open ? "Nothing more to mark here" : "That was the last answer"),
    h("p", { class: "soft" }, open ? "Every answer to this question is marked, or open at another marker." : ""),
    h("p", { class: "row" },
      next ? h("a", { class: "button primary", href: next.href }, `Next question: ${next.textContent}`) : null,
      h("a", { class: "button", href: document.querySelector(".assignment").href }, "All questions"),
      open ? h("button", { type: "button", class: "button", onclick: () => { $("only").value = "all"; restart(); } }, "Look through all answers") : null)));
  $("finished").focus();
  announce("Nothing more to mark here.");
  history.replaceState(null, "", location.pathname);
}

// --- what comes next -------------------------------------------------------------------------------

function lookAhead() {
  const after = item.id;
  if (ahead && ahead.after === after) return ahead.promise;
  const mine = { after, item: undefined, promise: null };
  ahead = mine;
  mine.promise = findAfter(after).then((found) => {
    mine.item = found;
    if (found) remember(found);
    return found;
  }, (error) => {
    if (ahead === mine) ahead = null;
    if (error instanceof Lost) outbox.connection(false);
    throw error;
  });
  mine.promise.catch(() => {});
  return mine.promise;
}

/** The answer after another one; after the last comes the first that is still open. */
async function findAfter(after) {
  const how = order();
  let { item: found } = await post("open", { after, ...how });
  if (!found && how.only === "open") ({ item: found } = await post("open", how));
  if (found && (found.id === after || outbox.isPending(found.id))) return null;
  return found;
}

async function advance() {
  if (at < trail.length - 1) {
    at += 1;
    return openKnown(trail[at]);
  }
  const from = item ? item.id : null;
  if (!from) return restart();
  if (ahead && ahead.after === from && ahead.item) return goTo(ahead.item);
  $("answer-box").setAttribute("aria-busy", "true");
  try {
    let found = await lookAhead();
    if (!found && outbox.pending()) {
      // The ones that are on their way were not counted: ask again when they are stored.
      await outbox.settled();
      found = await findAfter(from);
    }
    if (!item || item.id !== from) return undefined; // somebody was faster
    if (found) goTo(found);
    else finished();
  } catch (error) {
    $("answer-box").setAttribute("aria-busy", "false");
    if (!(error instanceof Lost)) return say(error);
    wantsNext = true;
    $("saved").textContent = "The next answer comes when the connection is back.";
  }
  return undefined;
}

async function back() {
  if (at > 0) {
    at -= 1;
    return openKnown(trail[at]);
  }
  const from = item ? item.id : null;
  const { item: found } = await post("open", { ...(from ? { after: from } : {}), by: $("order").value, only: "all", backwards: true });
  if (!found) return toast("This is the first answer.");
  trail.unshift(found.id);
  at = 0;
  return show(found);
}

/** Show an answer seen before at once, and again when the server knows it differently. */
async function openKnown(id) {
  const before = known.get(id);
  if (before) show(before);
  try {
    const { item: found } = await get(itemPath(id));
    remember(found);
    if (!before || (item && item.id === id && found.row_version !== before.row_version && !keptDraft(id))) show(found);
  } catch (error) {
    if (!before || !(error instanceof Lost)) say(error);
  }
}

async function openItem(id) {
  try {
    const { item: found } = await get(itemPath(id));
    goTo(found);
  } catch (error) {
    say(error);
  }
}

async function restart() {
  ahead = null;
  trail = [];
  at = -1;
  try {
    await outbox.settled();
    const { item: found } = await post("open", order());
    if (found) goTo(found);
    else finished();
  } catch (error) {
    say(error);
  }
}

// --- deciding --------------------------------------------------------------------------------------

function toggle(id) {
  if (draft.earned.has(id)) draft.earned.delete(id);
  else {
    for (const ids of rubric.pick_one) if (ids.includes(id)) for (const other of ids) draft.earned.delete(other);
    draft.earned.add(id);
  }
  draft.nothing = false;
  changed();
  const criterion = rubric.criteria.find((c) => c.id === id);
  announce(`${draft.earned.has(id) ? "Ticked" : "Unticked"}: ${criterion.says} ${points(score(rubric, draft.earned, draft.adjustment))} of ${points(rubric.cap)}.`);
}

function nothing() {
  draft.nothing = !(draft.nothing && !draft.earned.size);
  draft.earned.clear();
  changed();
  announce(draft.nothing ? "Nothing earned." : "Not marked yet.");
}

function accept() {
  const clear = item.suggestions.filter((s) => s.awarded !== null);
  if (!clear.length) return toast("There is nothing to take over: no suggestion for this answer.");
  draft.earned = new Set(clear.filter((s) => s.awarded).map((s) => s.criterion));
  draft.nothing = !draft.earned.size;
  changed();
  const unsure = item.suggestions.length - clear.length;
  announce(`Suggestion taken over: ${plural(draft.earned.size, "criterion", "criteria")} ticked${unsure ? `, ${unsure} unsure` : ""}.`);
  return undefined;
}

function save() {
  if (!item) return undefined;
  if (!decided()) {
    const box = $("score");
    box.classList.remove("nudge");
    void box.offsetWidth; // start the animation again
    box.classList.add("nudge");
    const way = item.suggestions.some((s) => s.awarded !== null) ? `${keyOf("accept")} for the suggestion, ` : "";
    return toast(`Not marked yet: tick a criterion, ${way}or ${keyOf("nothing")} for nothing earned.`);
  }
  if (draft.adjustment && !draft.reason.trim()) {
    view.openAdjust(true);
    $("reason-why").hidden = false;
    $("reason").setAttribute("aria-invalid", "true");
    $("reason").focus();
    return announce("An adjustment needs a reason.");
  }
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  if (!item.mark || item.stale || !sameAsStored()) {
    const body = {
      earned: rubric.criteria.map((c) => c.id).filter((id) => draft.earned.has(id)),
      adjustment: draft.adjustment,
      reason: draft.adjustment ? draft.reason.trim() : "",
      comment: draft.comment,
      row_version: draft.row_version,
    };
    keepDraft(item.id, { ...draft, earned: [...draft.earned] });
    done.push(item.id);
    outbox.send(item.id, body);
  }
  return advance();
}

async function undo() {
  if (outbox.isLost()) return toast("The connection is lost; undo when it is back.");
  await outbox.settled();
  const id = done.pop() ?? (item && item.mark ? item.id : null);
  if (!id) return toast("There is nothing to take back.");
  const { item: found } = await post(itemPath(id, "undo"));
  dropDraft(id);
  ahead = null;
  goTo(found);
  toast(`Taken back. ${view.stateOf(found)[2]}.`);
  refreshProgress();
  return undefined;
}

// --- what else one can do --------------------------------------------------------------------------

async function flag(flagged = !item.flagged, note = "") {
  const { item: found } = await post(itemPath(item.id, "flag"), { flagged, note });
  remember(found);
  if (item.id !== found.id) return;
  item = { ...item, flagged: found.flagged, flag_note: found.flag_note };
  view.showState(item);
  announce(found.flagged ? "Flagged." : "Flag taken away.");
  refreshProgress();
}

function reveal() {
  const id = item.id;
  const { body, foot, close } = openDialog("Reveal whose answer this is?");
  body.append(h("p", {}, "Names are hidden so that they cannot sway the mark. Revealing is written to the history, with your name."));
  foot.append(h("button", { type: "button", class: "button", onclick: () => close() }, "Keep it hidden"), h("span", { class: "spread" }),
    h("button", { type: "button", class: "button primary", onclick: async () => {
      close();
      await attempt(async () => {
        const { student } = await post(itemPath(id, "reveal"));
        if (item && item.id === id) $("reveal").firstChild.data = `${student} `;
        announce(`This is the answer of ${student}.`);
      });
    } }, "Reveal"));
  foot.querySelector(".primary").focus();
}

async function loadHistory() {
  const id = item.id;
  try {
    const { history: lines } = await get(itemPath(id, "history"));
    if (item && item.id === id) view.showHistory(lines, rubric);
  } catch (error) {
    say(error);
  }
}

function fold(box) {
  if (box.hidden) return toast("There are none for this answer.");
  box.open = !box.open;
  if (box.open) {
    box.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }
  return undefined;
}

let progressTimer = 0;
function refreshProgress() {
  clearTimeout(progressTimer);
  progressTimer = setTimeout(async () => {
    try {
      view.showProgress(await get("progress"));
    } catch {
      // The next save asks again.
    }
  }, 300);
}

async function reloadQuestion() {
  setRubric(await get("question"));
  if (item) show(item, { focus: false });
}

function setRubric(found) {
  rubric = found;
  view.showExemplars(rubric);
  const model = $("model");
  $("model-box").hidden = !rubric.model_answer_html;
  model.innerHTML = rubric.model_answer_html;
  showMath(model);
}

const desk = () => ({
  rubric,
  item,
  draft: { ...draft, decided: decided() },
  say,
  open: openItem,
  reload: () => attempt(reloadQuestion),
  after: () => {
    known.clear();
    ahead = null;
    refreshProgress();
    if (item) attempt(async () => {
      const { item: found } = await get(itemPath(item.id));
      dropDraft(found.id);
      show(found, { focus: false });
    });
  },
  changed: (question) => {
    setRubric(question);
    known.clear();
    ahead = null;
    refreshProgress();
    if (item) attempt(async () => { show((await get(itemPath(item.id))).item, { focus: false }); });
  },
});

const doings = {
  save,
  accept: () => item && accept(),
  nothing: () => item && nothing(),
  criterion: (n) => item && rubric.criteria[n - 1] && toggle(rubric.criteria[n - 1].id),
  next: advance,
  previous: back,
  comment: () => item && $("comment").focus(),
  search: () => item && $("bank").focus(),
  adjust: () => {
    const open = $("adjust-fields").hidden;
    view.openAdjust(open);
    if (open) $("adjustment").focus();
  },
  flag: () => item && flag(),
  undo,
  group: () => openGroups(desk()),
  history: () => item && fold($("history-box")),
  reveal: () => item && reveal(),
  edit: () => openRubric(desk()),
  model: () => fold($("model-box")),
  exemplars: () => fold($("exemplars-box")),
  similar: () => fold($("similar-box")),
  prompt: () => { $("prompt-box").open = !$("prompt-box").open; },
  switch: () => {
    $("switcher").open = true;
    $("switcher").querySelector("a[aria-current], a").focus();
  },
  help: openHelp,
};

function say(error) {
  if (error instanceof Lost) outbox.connection(false);
  else if (error instanceof Refused) toast(error.message);
  else {
    toast("Something went wrong on this page. What you typed is kept; reload to go on.");
    throw error;
  }
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    say(error);
  }
}

const act = (name, value) => attempt(async () => doings[name](value));

// --- the connection --------------------------------------------------------------------------------

outbox.onEvents({
  saved(stored) {
    remember(stored);
    if (item && item.id === stored.id) {
      item = { ...item, ...stored };
      if (!keptDraft(item.id)) draft = fromMark(item);
      view.showState(item);
      view.showExpected(item, rubric);
      showDecision();
    }
    $("saved").textContent = outbox.pending() ? `Saving ${outbox.pending()} …` : `Saved: ${points(stored.mark.score)} of ${points(rubric.cap)}.`;
    if (stored.mark.rubric_version && stored.mark.rubric_version !== rubric.version) attempt(reloadQuestion);
    refreshProgress();
  },
  stale(entry, error) {
    const now = error.body.item;
    if (now) remember(now);
    askWhich({ yours: error.body.yours || entry.body, theirs: error.body.theirs, item: now, rubric, error: error.message }, (choice) => {
      if (choice === "mine" && now) {
        outbox.send(entry.id, { ...entry.body, row_version: now.row_version });
        if (item && item.id === entry.id) show(now, { focus: false });
        return;
      }
      if (choice === "later") {
        keepDraft(entry.id, { ...entry.body, nothing: !entry.body.earned.length, row_version: now ? now.row_version : entry.body.row_version });
        if (now) goTo(now);
        return;
      }
      dropDraft(entry.id);
      if (now && item && item.id === entry.id) show(now, { focus: false });
      announce("Theirs is kept.");
      refreshProgress();
    });
  },
  refused(entry, error) {
    toast(`Not stored: ${error.message}`, ["Go back to that answer", () => openItem(entry.id)]);
    attempt(reloadQuestion);
  },
  connection(isLost) {
    const banner = $("banner");
    banner.hidden = !isLost;
    document.body.classList.toggle("is-lost", isLost);
    if (isLost) {
      banner.replaceChildren(h("b", {}, "The connection is lost."), ` What you typed is kept in this browser${outbox.pending() ? `, ${plural(outbox.pending(), "decision waits", "decisions wait")} to be stored` : ""}. Trying again by itself.`);
    } else {
      toast("The connection is back. Everything is being stored.");
      refreshProgress();
      if (wantsNext || !item) {
        wantsNext = false;
        attempt(item ? advance : boot);
      } else lookAhead();
    }
  },
  changed(n) {
    if (outbox.isLost()) return;
    if (n) $("saved").textContent = "Saving …";
  },
});

window.addEventListener("beforeunload", (event) => { if (outbox.pending()) event.preventDefault(); });

// --- wiring ----------------------------------------------------------------------------------------

function wire() {
  listen(act);
  for (const button of document.querySelectorAll("button[data-action]")) button.addEventListener("click", () => act(button.dataset.action));
  $("comment").addEventListener("input", () => { draft.comment = $("comment").value; changed(); });
  $("reason").addEventListener("input", () => {
    draft.reason = $("reason").value;
    $("reason-why").hidden = true;
    $("reason").removeAttribute("aria-invalid");
    changed();
  });
  $("adjustment").addEventListener("input", () => {
    const value = Number($("adjustment").value);
    draft.adjustment = Number.isFinite(value) ? value : 0;
    changed();
  });
  wireBank((text) => {
    const field = $("comment");
    field.value = field.value.trim() ? `${field.value.trimEnd()}\n\n${text}` : text;
    draft.comment = field.value;
    changed();
    field.focus();
    announce("Comment put in.");
  });
  $("flag-note").addEventListener("change", () => attempt(() => flag(true, $("flag-note").value.trim())));
  $("flag-note").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); $("flag-note").blur(); } });
  $("typed").addEventListener("click", () => {
    if (!item) return;
    const typed = $("typed").getAttribute("aria-pressed") !== "true";
    if (typed) view.showTyped(item);
    else view.showAnswer(item, rubric);
    showDecision();
    $("typed").setAttribute("aria-pressed", String(typed));
  });
  $("answer").addEventListener("mouseover", (event) => {
    const passage = event.target.closest("mark[data-criterion]");
    view.light(passage ? passage.dataset.criterion.split(" ")[0] : null);
  });
  $("answer").addEventListener("mouseleave", () => view.light(null));
  for (const name of ["order", "only"]) {
    $(name).value = preference(name, $(name).value);
    $(name).addEventListener("change", () => { prefer(name, $(name).value); $(name).blur(); restart(); });
  }
  for (const name of ["prompt-box", "model-box", "exemplars-box", "similar-box", "history-box"]) {
    $(name).open = preference(`open:${name}`, $(name).open);
    $(name).addEventListener("toggle", () => {
      prefer(`open:${name}`, $(name).open);
      if (name === "history-box" && $(name).open && item) loadHistory();
    });
  }
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  // What sticks below the bar has to know how high it is: it wraps when narrow or zoomed.
  const bar = document.querySelector(".bar");
  new ResizeObserver(() => {
    document.documentElement.style.setProperty("--bar", `${bar.offsetHeight}px`);
  }).observe(bar);
  showMath($("prompt"));
  label();
}

async function boot() {
  try {
    setRubric(await get("question"));
    refreshProgress();
    const wanted = decodeURIComponent(location.hash.slice(1));
    if (wanted) {
      try {
        return goTo((await get(itemPath(wanted))).item, { focus: false });
      } catch (error) {
        if (error instanceof Lost) throw error;
      }
    }
    const { item: found } = await post("open", order());
    if (found) goTo(found, { focus: false });
    else finished();
  } catch (error) {
    say(error);
  }
  return undefined;
}

wire();
boot();
setInterval(() => { if (!document.hidden && !outbox.isLost()) refreshProgress(); }, 20000);
