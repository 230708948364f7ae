// Decisions on their way to the server: kept in this browser until the server has them, sent one
// after another, and sent again after a lost connection.

import { Lost, Stale, get, itemPath, post } from "./api.js";
import { dropDraft, keepOutbox, outbox } from "./store.js";

const LONGEST = 10000; // milliseconds between two tries
let waiting = outbox();
let busy = false;
let lost = false;
let tries = 0;
let timer = 0;
let events = { saved() {}, stale() {}, refused() {}, connection() {}, changed() {} };

export const pending = () => waiting.length;
export const isPending = (id) => waiting.some((entry) => entry.id === id);
export const isLost = () => lost;
export function onEvents(handlers) { events = { ...events, ...handlers }; }

/** Send a decision about an answer; a later one about the same answer takes an unsent one's place. */
export function send(id, body) {
  const first = busy ? 1 : 0; // the first one is on its way already
  waiting = waiting.filter((entry, n) => n < first || entry.id !== id);
  waiting.push({ id, body });
  keep();
  flush();
}

/** Wait until everything that can be sent is sent; false when the connection is lost. */
export async function settled() {
  while (waiting.length && !lost) {
    flush();
    await new Promise((done) => { setTimeout(done, 20); });
  }
  return !waiting.length;
}

/** A request elsewhere got no answer, or one again. */
export function connection(works) {
  if (works === !lost) return;
  lost = !works;
  tries = 0;
  events.connection(lost);
  if (lost) again();
  else flush();
}

function keep() {
  keepOutbox(waiting);
  events.changed(waiting.length);
}

function again() {
  clearTimeout(timer);
  tries += 1;
  timer = setTimeout(probe, Math.min(LONGEST, 500 * 2 ** Math.min(tries, 5)));
}

async function probe() {
  try {
    if (waiting.length) return void await flush(true);
    await get("progress");
    connection(true);
  } catch (error) {
    if (error instanceof Lost) again();
    else connection(true);
  }
}

async function flush(evenLost = false) {
  if (busy || (lost && !evenLost)) return;
  busy = true;
  try {
    while (waiting.length) {
      const entry = waiting[0];
      try {
        const answer = await post(itemPath(entry.id, "mark"), entry.body);
        finish(entry);
        // A second decision that was made before the first one was stored builds upon it.
        for (const later of waiting) if (later.id === entry.id) later.body.row_version = answer.saved.row_version;
        events.saved(answer.saved, entry.body);
      } catch (error) {
        if (error instanceof Lost) {
          if (lost) again();
          else { lost = true; events.connection(true); again(); }
          return;
        }
        finish(entry, false);
        if (error instanceof Stale) events.stale(entry, error);
        else events.refused(entry, error);
      }
      if (lost) { lost = false; tries = 0; events.connection(false); }
    }
  } finally {
    busy = false;
  }
}

function finish(entry, stored = true) {
  waiting = waiting.filter((other) => other !== entry);
  if (stored && !isPending(entry.id)) dropDraft(entry.id);
  keep();
}

window.addEventListener("online", () => { if (lost) probe(); });
window.addEventListener("offline", () => connection(false));
if (waiting.length) setTimeout(flush, 0);
