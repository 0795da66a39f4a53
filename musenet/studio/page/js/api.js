/**
 * The server's API. Every failure is an `ApiError` whose message tells people what to do.
 * @module
 */

/** An answer that is an error, or none at all. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const HINTS = {
  busy: " The queue is full at the moment.",
  loading: " The model is still being loaded.",
};

async function failure(response) {
  const error = await response.json().then((body) => body.error, () => null);
  const wait = response.headers.get("Retry-After");
  const again = wait ? ` Try again in ${wait} s.` : "";
  const text = error?.message ?? `the server answered ${response.status}: look at its log`;
  const message = text.charAt(0).toUpperCase() + text.slice(1);
  const end = /[.!?]$/.test(message) ? "" : ".";
  return new ApiError(response.status, error?.code ?? "failed", message + end + (HINTS[error?.code] ?? "") + again);
}

/** Sends a request and gives the response, if it is a good one. */
export async function send(method, path, body, options = {}) {
  let response;
  try {
    response = await fetch(path, { method, body, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "away", "The server does not answer: is `musenet studio` still running? What you did last is not saved.");
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function json(method, path, body) {
  const options = body === undefined ? {} : { headers: { "Content-Type": "application/json" } };
  const response = await send(method, path, body === undefined ? undefined : JSON.stringify(body), options);
  return response.status === 204 ? null : response.json();
}

const get = (path) => json("GET", path);
const part = encodeURIComponent;

export const about = () => get("v1/about");
export const styles = async () => (await get("v1/styles")).styles;
export const instruments = () => get("v1/instruments");
export const openings = async () => (await get("v1/openings")).openings;

export const projects = async () => (await get("v1/projects")).projects;
export const project = (id) => get(`v1/projects/${part(id)}`);
export const newProject = (name) => json("POST", "v1/projects", { name });
export const changeProject = (id, change) => json("PATCH", `v1/projects/${part(id)}`, change);
export const deleteProject = (id) => json("DELETE", `v1/projects/${part(id)}`);
export const restoreProject = (id) => json("POST", `v1/projects/${part(id)}/restore`);
export const duplicateProject = (id) => json("POST", `v1/projects/${part(id)}/duplicate`, {});

export const upload = async (id, file, label) =>
  (await send("POST", `v1/projects/${part(id)}/uploads?label=${part(label)}`, file)).json();
export const newNode = (id, body) => json("POST", `v1/projects/${part(id)}/nodes`, body);
export const node = (id) => get(`v1/nodes/${part(id)}`);
export const label = (id, text) => json("PATCH", `v1/nodes/${part(id)}`, { label: text });
export const deleteNode = (id) => json("DELETE", `v1/nodes/${part(id)}`);
export const restoreNode = async (id) => (await json("POST", `v1/nodes/${part(id)}/restore`)).tree;
/** The notes of a node; where no metre is told it is 4/4. */
export const score = async (id) => {
  const found = await get(`v1/nodes/${part(id)}/score`);
  return found.metres.length ? found : { ...found, metres: [{ tick: 0, numerator: 4, denominator: 4 }] };
};
export const putScore = (id, body) => json("PUT", `v1/nodes/${part(id)}/score`, body);
/** An operation on a node: trim, transpose, undo or redo. */
export const operate = (id, name, body) => json("POST", `v1/nodes/${part(id)}/${name}`, body);
export const stems = (id) => get(`v1/nodes/${part(id)}/stems`);
export const rendering = (id, format) => `v1/nodes/${part(id)}/renderings/${format}`;

/** Bars or parts of a node composed anew. */
export const arrange = (id, body) => json("POST", `v1/nodes/${part(id)}/arrangements`, body);
export const compose = (body) => json("POST", "v1/compositions", body);
export const compositions = async (id) => (await get(`v1/compositions?project=${part(id)}`)).compositions;
export const cancel = (id) => json("DELETE", `v1/compositions/${part(id)}`);

const EVENTS = ["queued", "started", "notes", "progress", "candidate", "end"];

/** Follows a composition to its end; the browser goes on by itself where the line breaks.
 * @param {(name: string, data: object) => void} heard
 * @param {() => void} lost called where the server no longer knows it
 * @returns {() => void} stops following */
export function follow(id, heard, lost) {
  const source = new EventSource(`v1/compositions/${part(id)}/events`);
  for (const name of EVENTS) {
    source.addEventListener(name, (event) => {
      if (name === "end") source.close();
      heard(name, JSON.parse(event.data));
    });
  }
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) lost();
  });
  return () => source.close();
}
