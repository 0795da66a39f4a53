/**
 * The bar above the roll: the name of the piece, zoom, editing, and what is done with chosen bars.
 * @module
 */

import { anew } from "../actions/composing.js";
import * as editing from "../actions/editing.js";
import { barHere, goOnFrom, nodeOf, transpose, trim } from "../actions/pieces.js";
import { barTick } from "../core/time.js";
import { titleOf } from "../core/tree.js";
import { count } from "../core/words.js";
import { button, h, iconButton, refill } from "./dom.js";

const GRIDS = [[1, "1 beat"], [2, "½ beat"], [4, "¼ beat"], [3, "⅓ beat"], [8, "⅛ beat"], [0, "free"]];

/** Fills the bar. */
export function toolsView(app, element) {
  const title = h("h2", { class: "piece" });
  const right = h("div", { class: "tool-group" });
  const actions = h("div", { class: "tool-group actions", role: "toolbar", "aria-label": "What to do with it" });
  element.append(title, right, actions);
  const picked = { part: "" };
  app.store.watch((state) => [state.shown, state.nodes, state.scores, state.draft, state.compared, state.editing, state.grid, state.job?.id], (state) => {
    const node = nodeOf(state);
    title.textContent = state.draft !== null ? `Candidate ${String.fromCharCode(65 + state.draft)}, being composed` : node ? titleOf(node) : state.job ? "The first notes are on their way" : "";
    refill(right, views(app, state));
  });
  app.store.watch((state) => [state.shown, state.nodes, state.draft, state.region, state.chosen, state.editing, state.compared, state.scores], (state) => {
    const node = nodeOf(state);
    const usable = node && app.editable();
    refill(actions, usable ? (state.region ? regionActions(app, node, state, picked) : state.editing ? noteActions(app, state) : plainActions(app, node)) : []);
    actions.hidden = !usable;
  });
}

function views(app, state) {
  const some = state.shown || state.draft !== null;
  if (!some) return [];
  const edit = h("button", { type: "button", class: "toggle", "data-key": "edit", "aria-pressed": String(state.editing), disabled: !app.editable(), title: "Edit notes (E)", onclick: () => app.store.change("editing", !state.editing) }, "Edit");
  const grid = h("select", { "aria-label": "Grid", title: "Grid", "data-key": "grid", onchange: (event) => app.store.change("grid", Number(event.target.value)) }, GRIDS.map(([value, says]) => h("option", { value }, says)));
  grid.value = String(state.grid);
  return [state.editing ? grid : null, edit,
    iconButton("minus", "Zoom out (−)", () => app.roll.zoom(1 / 1.5), { "data-key": "out" }),
    iconButton("plus", "Zoom in (+)", () => app.roll.zoom(1.5), { "data-key": "in" }),
    iconButton("fit", "Whole piece (0)", () => app.roll.fit(), { "data-key": "fit" })];
}

const chip = (label, act, more = {}) => button(label, act, { class: "chip plain", "data-key": label, ...more });

function plainActions(app, node) {
  const score = app.shownScore();
  if (!score?.bars.length) return [];
  return [
    chip("Go on from here", () => goOnFrom(app, node, barHere(app, score)), { title: "keep the bars up to the cursor and compose on (G)" }),
    h("span", { class: "quiet hint" }, "Drag over the bar numbers to choose bars."),
  ];
}

function regionActions(app, node, { region }, picked) {
  const score = app.shownScore();
  if (!score) return [];
  const ticks = { from_tick: barTick(score, region.from), to_tick: barTick(score, region.to + 1) };
  const run = (work) => () => app.attempt(work);
  const part = h("select", { class: "chip plain", "aria-label": "Which parts are composed anew", "data-key": "anew part", onchange: (event) => { picked.part = event.target.value; } },
    h("option", { value: "" }, "all parts"), score.parts.map(({ instrument }) => h("option", { value: instrument }, instrument)));
  if (!score.parts.some(({ instrument }) => instrument === picked.part)) picked.part = "";
  part.value = picked.part;
  return [
    h("strong", { class: "region" }, region.from === region.to ? `Bar ${region.from}` : `Bars ${region.from}–${region.to}`),
    chip("Keep only these", run(() => trim(app, region.from, region.to))),
    chip("Compose anew", run(() => anew(app, { bars: [region.from, region.to], ...(picked.part && { instruments: [picked.part] }) })), { title: "compose these bars again; the rest stays" }),
    part,
    chip("Go on behind", () => goOnFrom(app, node, region.to)),
    chip("Copy", () => editing.copy(app)),
    chip("Cut", () => editing.cut(app)),
    app.clipboard ? chip("Paste", () => editing.put(app)) : null,
    h("span", { class: "quiet" }, "Transpose"),
    ...[["+1", 1], ["−1", -1], ["+12", 12], ["−12", -12]].map(([says, by]) =>
      chip(says, run(() => transpose(app, by, ticks)), { "aria-label": `Transpose by ${by} semitones`, title: "transpose by semitones" })),
    iconButton("close", "Choose no bars", () => app.store.change("region", null), { "data-key": "no-region" }),
  ];
}

function noteActions(app, { chosen }) {
  if (!chosen.length) {
    return [h("span", { class: "quiet hint" }, "Click a note, or drag around some; double-click adds one. Arrows move, Shift+arrows lengthen."), app.clipboard ? chip("Paste", () => editing.put(app)) : null];
  }
  return [
    h("strong", { class: "region" }, count(chosen.length, "note")),
    chip("Longer", () => editing.stretch(app, 1)),
    chip("Shorter", () => editing.stretch(app, -1)),
    chip("Up", () => editing.shift(app, 0, 1)),
    chip("Down", () => editing.shift(app, 0, -1)),
    chip("Louder", () => editing.louder(app, 10)),
    chip("Softer", () => editing.louder(app, -10)),
    chip("Copy", () => editing.copy(app)),
    chip("Cut", () => editing.cut(app)),
    app.clipboard ? chip("Paste", () => editing.put(app)) : null,
    chip("Delete", () => editing.erase(app), { class: "chip plain danger" }),
  ];
}
