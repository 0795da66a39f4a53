/**
 * What is done with pieces: shown, named, branched, trimmed, deleted, taken back.
 * @module
 */

import * as api from "../api.js";
import { formOf, onward } from "../core/prompt.js";
import { barAt, barStart } from "../core/time.js";
import { afterDeleting, titleOf } from "../core/tree.js";
import { count, cut } from "../core/words.js";
import { settled } from "./editing.js";
import { ensure } from "./projects.js";

const LARGEST = 120;

/** The node that is shown, or compared with. */
export const nodeOf = (state, id = state.shown) => state.nodes.find((node) => node.id === id) ?? null;

/** Reads a node's notes if they are not there in its current revision. */
export async function load(app, id) {
  const node = nodeOf(app.store.state, id);
  if (!node || app.store.state.scores[id]?.revision === node.revision) return;
  const score = await api.score(id);
  app.store.change("score", { id, score });
}

/** A node's name. */
export async function label(app, node, text) {
  if (text.trim() === node.label) return;
  const named = await api.label(node.id, cut(text.trim(), LARGEST));
  app.store.change("nodes", [named]);
  app.store.change("did", { kind: "label", node: node.id, before: node.label, after: named.label });
}

/** Deletes a node with all under it; the notice brings it back. */
export async function remove(app, id) {
  const node = nodeOf(app.store.state, id);
  await settled(app);
  await api.deleteNode(id);
  leave(app, id);
  app.store.change("did", { kind: "delete", node: id });
  app.say(`${titleOf(node)} is deleted.`, { label: "Undo", act: () => takeBack(app) });
}

function leave(app, id) {
  const { state } = app.store;
  const { left, next } = afterDeleting(state.nodes, id);
  const gone = (other) => other && !left.some((node) => node.id === other);
  app.store.change("only", left);
  if (gone(state.compared)) app.store.change("compare", null);
  if (gone(state.shown)) app.store.change("show", next);
}

const BACK = {
  delete: async (app, { node }) => {
    app.store.change("nodes", await api.restoreNode(node));
    app.store.change("show", node);
  },
  label: async (app, { node, before }) => app.store.change("nodes", [await api.label(node, before)]),
  edit: async (app, { node }) => revised(app, await api.operate(node, "undo")),
};

const AGAIN = {
  delete: async (app, { node }) => {
    await api.deleteNode(node);
    leave(app, node);
  },
  label: async (app, { node, after }) => app.store.change("nodes", [await api.label(node, after)]),
  edit: async (app, { node }) => revised(app, await api.operate(node, "redo")),
};

/** Takes a step back or does it again. One that the server cannot do any more is left out from now on,
 * or it would stand before the others for good. */
async function walk(app, ways, step) {
  try {
    await ways[step.kind](app, step);
  } catch (error) {
    if ([404, 409].includes(error.status)) app.store.change("dropped", step);
    throw error;
  }
}

/** Undo: the last thing done on the page, else the last edit of the node that is shown. */
export async function takeBack(app) {
  await settled(app);
  const { history, shown } = app.store.state;
  const step = history.past.at(-1);
  if (step) {
    await walk(app, BACK, step);
    app.store.change("undone");
    app.say("Undone.");
  } else if (nodeOf(app.store.state)?.can_undo) {
    await BACK.edit(app, { node: shown });
    app.say("Undone.");
  }
}

/** Redo of what was undone. */
export async function doAgain(app) {
  await settled(app);
  const { history, shown } = app.store.state;
  const step = history.future[0];
  if (step) {
    await walk(app, AGAIN, step);
    app.store.change("redone");
    app.say("Done again.");
  } else if (nodeOf(app.store.state)?.can_redo) {
    await AGAIN.edit(app, { node: shown });
    app.say("Done again.");
  }
}

/** A node has another revision: its notes are read again. */
export async function revised(app, node) {
  app.store.change("nodes", [node]);
  app.store.change("choose", []);
  app.store.change("show", node.id);
  await load(app, node.id);
}

async function operate(app, name, body) {
  await settled(app);
  const { shown } = app.store.state;
  const node = await api.operate(shown, name, body);
  if (body.as !== "child") app.store.change("did", { kind: "edit", node: node.id });
  app.store.change("region", null);
  await revised(app, node);
}

/** Keeps bars of the piece, both included. */
export async function trim(app, from, to) {
  await operate(app, "trim", { from_bar: from, to_bar: to });
  app.say(`Kept bars ${from} to ${to}.`, { label: "Undo", act: () => takeBack(app) });
}

/** Moves the notes of ticks up or down. */
export const transpose = (app, semitones, range) => operate(app, "transpose", { semitones, ...range });

/** A node as what the form goes on from. @param {number | null} bar the last that is kept; null for all */
const openingOf = (node, bar) => ({ kind: "node", id: node.id, title: titleOf(node), bar, bars: node.bars });

/** Goes on from a bar: the form composes behind it. @param {number} bar the last that is kept */
export function goOnFrom(app, node, bar) {
  const whole = bar >= node.bars;
  const { form, scores } = app.store.state;
  const kept = whole ? node.seconds : barStart(scores[node.id], bar + 1);
  app.store.change("form", {
    opening: openingOf(node, whole ? null : bar),
    minutes: Math.min(app.store.state.about.limits.minutes, Math.max(form.minutes, node.seconds / 60, onward(kept))),
    notes: "",
    seed: "",
    ...(node.recipe && !Object.keys(form.styles).length && { styles: Object.fromEntries(node.recipe.prompt.styles) }),
    instruments: [...new Set([...form.instruments.filter((name) => name in node.instruments), ...Object.keys(node.instruments)])],
  });
  app.store.change("tab", "compose");
  app.focus("compose");
  app.say(`Goes on behind ${whole ? "the end" : `bar ${bar}`}. Choose, then press Compose.`);
}

/** The bar at which the cursor stands. */
export const barHere = (app, score) => barAt(score.bars, app.player.position);

/** Fills the form with what a node was composed from. */
export function useRecipe(app, node) {
  const { at } = node.recipe;
  const goesOn = node.kept_bars !== null;
  const given = goesOn ? nodeOf(app.store.state, node.parent) : null;
  app.store.change("form", { ...formOf(node.recipe), opening: given && openingOf(given, at ? at - 1 : null) });
  app.store.change("tab", "compose");
  app.say(goesOn && !given ? "The form asks for the same, but what it goes on from is not here any more." : "The form asks for the same again.");
}

/** A MIDI file becomes a node to go on from. @param {File} file */
export async function upload(app, file) {
  const { about } = app.store.state;
  if (!/\.midi?$/i.test(file.name)) throw new Error(`${file.name} is no MIDI file: choose one that ends in .mid.`);
  if (file.size > about.limits.body_bytes) throw new Error(`${file.name} is too large: at most ${Math.floor(about.limits.body_bytes / 2 ** 20)} MB.`);
  const project = await ensure(app);
  added(app, await api.upload(project, file, cut(file.name.replace(/\.midi?$/i, ""), LARGEST)));
}

/** Notes that were played become a node to go on from. */
export async function keepPlayed(app, score) {
  const project = await ensure(app);
  added(app, await api.newNode(project, { label: "Played", score }));
}

function added(app, node) {
  app.store.change("nodes", [node]);
  app.store.change("show", node.id);
  goOnFrom(app, node, node.bars);
  app.say(`${titleOf(node)}: ${count(node.bars, "bar")} to go on from.`);
}

/** A copy of a node beside it, to change while the other stays. */
export async function duplicate(app, node) {
  await settled(app);
  const copy = await api.newNode(node.project, { copy: node.id, parent: node.parent, label: `${cut(titleOf(node), LARGEST)} (copy)` });
  app.store.change("nodes", [copy]);
  app.store.change("show", copy.id);
}
