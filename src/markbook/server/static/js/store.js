// What this browser keeps for a marker: drafts, saves that wait for the connection, preferences.
// It holds decisions only, never an answer's text.

const { marker, assignment, question, api } = document.body.dataset;
const place = `markbook:${api}:${marker}`;
const everywhere = `markbook:${marker}`;

function read(key, otherwise) {
  try {
    const raw = localStorage.getItem(key);
    return raw === null ? otherwise : JSON.parse(raw);
  } catch {
    return otherwise;
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(value));
    return true;
  } catch {
    return false; // storage is full or forbidden: the page goes on, with less of a safety net
  }
}

export const where = { marker, assignment, question };
export const draft = (id) => read(`${place}:draft:${id}`, null);
export const keepDraft = (id, value) => write(`${place}:draft:${id}`, value);
export const dropDraft = (id) => write(`${place}:draft:${id}`, null);
export const outbox = () => read(`${place}:outbox`, []);
export const keepOutbox = (list) => write(`${place}:outbox`, list.length ? list : null);
export const preference = (name, otherwise) => read(`${everywhere}:${name}`, otherwise);
export const prefer = (name, value) => write(`${everywhere}:${name}`, value);
