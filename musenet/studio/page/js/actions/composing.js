/**
 * Composing: ask, follow, give up.
 * @module
 */

import * as api from "../api.js";
import { draftScore, isOver } from "../core/draft.js";
import { arrangement, request } from "../core/prompt.js";
import { count } from "../core/words.js";
import { settled } from "./editing.js";

/** Asks for one thing at a time: a second click while the answer is awaited asks for nothing. */
async function once(app, ask) {
  if (app.asking) return;
  app.asking = true;
  try {
    await ask();
  } finally {
    app.asking = false;
  }
}

/** Asks for what the form says and follows it. */
export const compose = (app) => once(app, async () => {
  const { job, form, project } = app.store.state;
  if (job && !isOver(job)) return;
  // without a project the server makes one, and none for what it refuses
  const composition = await api.compose(request(form, project?.id));
  if (!project) app.store.change("project", { ...(await api.project(composition.project)), view: { form } });
  goOn(app, composition);
  app.store.change("tab", "music");
});

/** Composes bars or a part of the piece that is shown anew.
 * @param {{instruments?: string[], bars?: [number, number]}} what */
export const anew = (app, what) => once(app, async () => {
  const { job, shown, form } = app.store.state;
  if (job && !isOver(job)) throw new Error("Something is being composed: wait for it, or press Stop.");
  await settled(app);
  goOn(app, await api.arrange(shown, arrangement(form, what)));
});

/** Follows a composition that goes on. */
export function goOn(app, composition) {
  app.store.change("job", composition);
  app.say(`Composing ${count(composition.candidates, "candidate")}.`, null, true);
  const stop = api.follow(composition.id, (name, data) => {
    if (app.store.state.job?.id !== composition.id) return stop();
    app.store.change("heard", { name, data });
    if (name === "candidate") app.store.change("nodes", [data.node]);
    if (name === "end") app.attempt(() => ended(app, data));
  }, () => app.attempt(() => lost(app, composition.id)));
}

async function lost(app, id) {
  if (app.store.state.job?.id !== id) return;
  const compositions = await api.compositions(app.store.state.project.id);
  const found = compositions.find((composition) => composition.id === id);
  await ended(app, found ?? { state: "interrupted", nodes: [] });
}

const ENDS = {
  cancelled: "Stopped. Nothing of it is kept.",
  interrupted: "The server stopped while it composed: press Compose again.",
};

async function ended(app, composition) {
  const { state } = app.store;
  const listened = state.playing !== "stopped" && state.draft !== null ? state.job.drafts[state.draft]?.node : null;
  if (composition.state === "finished") {
    const { tree } = await api.project(composition.project);
    app.store.change("only", tree);
    app.store.change("jobOver");
    app.store.change("show", listened ?? composition.nodes[0]);
    app.say(`${count(composition.nodes.length, "candidate")} composed. The best is shown.`, null, true);
  } else {
    app.store.change("jobOver");
    const text = ENDS[composition.state] ?? `It failed: ${composition.error}`;
    if (composition.state === "cancelled") app.say(text);
    else app.fail(new Error(text));
  }
}

/** Gives up what is composed. */
export async function stop(app) {
  const { job } = app.store.state;
  if (job) await api.cancel(job.id);
}

/** The draft that is looked at, as a score; null if none is. */
export function shownDraft(app) {
  const { job, draft } = app.store.state;
  return job && draft !== null && job.drafts[draft] ? draftScore(job, job.drafts[draft], app.colours) : null;
}
