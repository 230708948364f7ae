// Requests to the question's API. Three kinds of failure, told apart because a person has to do
// different things about them: the connection, a refusal, and somebody else's change.

const { api, xsrf } = document.body.dataset;

export class Lost extends Error {} // no answer: try again later
export class Refused extends Error { // the server said no
  constructor(status, body) {
    const said = (body && body.error) || {};
    super([said.what || `The server answered ${status}.`, said.hint].filter(Boolean).join(" "));
    this.status = status;
    this.code = said.code || "";
    this.body = body || {};
  }
}
export class Stale extends Refused {} // somebody else changed it: both versions are in the body

const PATIENCE = 15000; // milliseconds until a request that got no answer counts as lost

async function request(method, path, body) {
  let response;
  let answer;
  try {
    response = await fetch(`${api}/${path}`, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      headers: body === undefined
        ? { Accept: "application/json" }
        : { "Content-Type": "application/json", Accept: "application/json", "X-XSRFToken": xsrf },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE),
    });
    answer = await response.json();
  } catch (error) {
    if (response && !response.ok && response.status < 502) throw new Refused(response.status, null);
    throw new Lost(String(error));
  }
  if (response.ok) return answer;
  if (response.status >= 502 && response.status <= 504) throw new Lost(`status ${response.status}`);
  throw new (response.status === 409 ? Stale : Refused)(response.status, answer);
}

const part = encodeURIComponent;
export const get = (path) => request("GET", path);
export const post = (path, body = {}) => request("POST", path, body);
export const itemPath = (id, verb) => `item/${part(id)}${verb ? `/${verb}` : ""}`;
export const groupPath = (id) => `groups/${part(id)}/mark`;
