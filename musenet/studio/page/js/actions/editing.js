/**
 * Changes of notes: shown at once, stored one after the other.
 * @module
 */

import * as api from "../api.js";
import { accent, copied, indicesOf, lengthen, move, paste, plain, remove, within } from "../core/notes.js";
import { barTick, tickAt } from "../core/time.js";
import { count } from "../core/words.js";

/** Shows a change of notes and stores it behind those before. */
export function commit(app, { score, chosen }) {
  const id = app.store.state.shown;
  app.store.change("edited", { id, score, chosen });
  const step = { kind: "edit", node: id };
  app.store.change("did", step);
  app.store.change("saving", "saving");
  // one that fails says so itself, and does not keep those behind it
  const storing = (app.storing ?? Promise.resolve()).then(() => store(app, step, score)).catch(() => {});
  app.storing = storing.then(() => app.storing === last && refresh(app, id));
  const last = app.storing;
}

async function store(app, step, { ticks_per_beat, notes }) {
  const id = step.node;
  const { revision } = app.store.state.nodes.find((node) => node.id === id) ?? {};
  if (revision === undefined) return;
  try {
    const node = await api.putScore(id, { revision, ticks_per_beat, notes: plain(notes) });
    app.store.change("nodes", [node]);
    follow(app, id, node.revision);
  } catch (error) {
    app.fail(error);
    app.store.change("dropped", step);
    app.store.change("saving", "unsaved");
    await reload(app, id);
  }
}

/** The notes on the page are those of the new revision. */
function follow(app, id, revision) {
  const score = app.store.state.scores[id];
  if (score) app.store.change("score", { id, score: { ...score, revision } });
}

/** The notes as the server stored them, for it ends a note that is struck again. */
async function refresh(app, id) {
  const before = app.storing;
  const score = await api.score(id).catch(() => null);
  if (before !== app.storing || !score || app.dragging()) return;
  const { scores, chosen } = app.store.state;
  const kept = scores[id] ? chosen.map((index) => scores[id].notes[index]).filter(Boolean) : [];
  app.store.change("edited", { id, score, chosen: indicesOf(score, kept) });
  app.store.change("saving", "saved");
}

async function reload(app, id) {
  const [node, score] = await Promise.all([api.node(id), api.score(id)]);
  app.store.change("nodes", [node]);
  app.store.change("edited", { id, score, chosen: [] });
}

/** When all changes are stored; the notes are then as the server has them. */
export async function settled(app) {
  const { storing } = app;
  await storing;
  if (app.storing !== storing) return settled(app);
  app.storing = null;
}

/** The notes that a command is about: the chosen ones, else those of the chosen bars. */
function subject(state, score) {
  if (state.chosen.length) return state.chosen;
  const { region } = state;
  return region ? within(score, barTick(score, region.from), barTick(score, region.to + 1)) : [];
}

/** Where what is copied begins: at the region, else at the bar of the first note. */
function origin(state, score, chosen) {
  if (!state.chosen.length && state.region) return barTick(score, state.region.from);
  return Math.min(...chosen.map((index) => score.notes[index].onset));
}

/** A command on the notes that are shown; false where there is nothing it could be about. */
function withSubject(app, run) {
  const { state } = app.store;
  const score = state.scores[state.shown];
  const chosen = score ? subject(state, score) : [];
  if (!chosen.length || !app.editable()) return false;
  run(score, chosen, state);
  return true;
}

const step = (app, score) => Math.max(1, Math.round(score.ticks_per_beat / (app.store.state.grid || 24)));

/** Moves notes by steps of the grid and semitones. */
export const shift = (app, steps, semitones) =>
  withSubject(app, (score, chosen) => commit(app, move(score, chosen, steps * step(app, score), semitones)));

/** Makes notes longer or shorter by steps of the grid. */
export const stretch = (app, steps) =>
  withSubject(app, (score, chosen) => commit(app, lengthen(score, chosen, steps * step(app, score), step(app, score))));

/** Makes notes louder or softer. */
export const louder = (app, by) =>
  withSubject(app, (score, chosen) => commit(app, accent(score, chosen, by)));

/** Takes notes away. */
export const erase = (app) =>
  app.attempt(() => withSubject(app, (score, chosen) => {
    if (chosen.length === score.notes.length) throw new Error("A piece keeps at least one note: delete the whole version instead.");
    commit(app, remove(score, chosen));
    app.say(`${count(chosen.length, "note")} deleted.`);
  }));

/** Keeps notes for pasting. */
export const copy = (app) =>
  withSubject(app, (score, chosen, state) => {
    app.clipboard = { ticks_per_beat: score.ticks_per_beat, notes: copied(score, chosen, origin(state, score, chosen)) };
    app.say(`${count(chosen.length, "note")} copied.`);
  });

/** Keeps notes for pasting and takes them away. */
export const cut = (app) => copy(app) && erase(app);

/** Puts copied notes in: at the chosen bars, else at the cursor. */
export function put(app) {
  const { state } = app.store;
  const score = state.scores[state.shown];
  if (!app.clipboard || !score || !app.editable()) return false;
  const here = state.region ? barTick(score, state.region.from) : Math.round(tickAt(score.tempos, score.ticks_per_beat, app.player.position));
  const grid = step(app, score);
  commit(app, paste(score, app.clipboard, state.region ? here : Math.round(here / grid) * grid));
  app.say(`${count(app.clipboard.notes.length, "note")} pasted.`);
  return true;
}

/** Chooses every note. */
export function chooseAll(app) {
  const score = app.store.state.scores[app.store.state.shown];
  if (score) app.store.change("choose", indicesOf(score, score.notes));
}
