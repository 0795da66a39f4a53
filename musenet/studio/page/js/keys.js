/**
 * What keys do.
 * @module
 */

import * as editing from "./actions/editing.js";
import * as pieces from "./actions/pieces.js";
import { channel } from "./core/mixer.js";
import { add, neighbour, noteFrom } from "./core/notes.js";
import { barAt, barStart, placeOf, tickAt } from "./core/time.js";
import { together } from "./core/tree.js";
import { noteWords } from "./core/words.js";
import { exportDialog } from "./views/export.js";
import { submit } from "./views/form.js";
import { helpDialog } from "./views/help.js";

const TYPING = "input:not([type=range]):not([type=radio]), select, textarea";

/** Listens to the keyboard. */
export function listen(app) {
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.defaultPrevented) return;
    const act = commands(app, event)[nameOf(event)];
    if (!act || act() === false) return;
    event.preventDefault();
  });
}

function nameOf(event) {
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const symbol = event.key.length === 1 && !/[a-z]/i.test(event.key);
  return [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", event.shiftKey && !symbol && "Shift", name].filter(Boolean).join("+");
}

function commands(app, event) {
  const always = {
    "Ctrl+Enter": submit,
    "Ctrl+e": () => app.attempt(() => exportDialog(app)),
  };
  if (event.target.matches(TYPING)) return always;
  const free = { ...always, ...anywhere(app) };
  const own = event.target.matches("input[type=range], input[type=radio], [role=treeitem]");
  const pressed = event.target.matches("button, summary, [role=button]");
  if (pressed) delete free[" "];
  return own ? free : { ...free, ...(app.store.state.editing && app.store.state.chosen.length ? moving(app) : travelling(app)), ...notes(app) };
}

function anywhere(app) {
  const { store } = app;
  return {
    " ": () => app.toggle(),
    "?": helpDialog,
    "/": () => app.focus("style-search"),
    e: () => app.editable() && store.change("editing", !store.state.editing),
    g: () => goOn(app),
    b: () => store.state.compared && store.change("side", store.state.side === "a" ? "b" : "a"),
    m: () => mix(app, "mute"),
    "Shift+m": () => mix(app, "solo"),
    "+": () => app.roll.zoom(1.5),
    "=": () => app.roll.zoom(1.5),
    "-": () => app.roll.zoom(1 / 1.5),
    0: () => app.roll.fit(),
    "[": () => region(app, "from"),
    "]": () => region(app, "to"),
    t: () => keep(app),
    "Ctrl+z": () => app.attempt(() => pieces.takeBack(app)),
    "Ctrl+Shift+z": () => app.attempt(() => pieces.doAgain(app)),
    "Ctrl+y": () => app.attempt(() => pieces.doAgain(app)),
    Escape: () => { store.change("choose", []); store.change("region", null); },
    ...Object.fromEntries([..."12345678"].map((digit) => [digit, () => candidate(app, Number(digit))])),
  };
}

function travelling(app) {
  return {
    ArrowLeft: () => byBar(app, -1),
    ArrowRight: () => byBar(app, 1),
    "Alt+ArrowUp": () => app.roll.stretch(1.25),
    "Alt+ArrowDown": () => app.roll.stretch(0.8),
    Home: () => app.seek(0),
    End: () => app.seek(app.shownScore()?.seconds ?? 0),
  };
}

function moving(app) {
  return {
    ArrowLeft: () => editing.shift(app, -1, 0),
    ArrowRight: () => editing.shift(app, 1, 0),
    ArrowUp: () => editing.shift(app, 0, 1),
    ArrowDown: () => editing.shift(app, 0, -1),
    "Shift+ArrowUp": () => editing.shift(app, 0, 12),
    "Shift+ArrowDown": () => editing.shift(app, 0, -12),
    "Shift+ArrowLeft": () => editing.stretch(app, -1),
    "Shift+ArrowRight": () => editing.stretch(app, 1),
  };
}

function notes(app) {
  return {
    Delete: () => editing.erase(app),
    Backspace: () => editing.erase(app),
    "Ctrl+c": () => editing.copy(app),
    "Ctrl+x": () => editing.cut(app),
    "Ctrl+v": () => editing.put(app),
    "Ctrl+a": () => app.store.state.editing && editing.chooseAll(app),
    n: () => choose(app, 1),
    p: () => choose(app, -1),
    a: () => addHere(app),
  };
}

function goOn(app) {
  const node = pieces.nodeOf(app.store.state);
  const score = app.shownScore();
  if (!node || !score || !app.editable()) return false;
  return pieces.goOnFrom(app, node, app.store.state.region?.to ?? pieces.barHere(app, score));
}

function byBar(app, step) {
  const score = app.shownScore();
  if (!score?.bars.length) return false;
  const bar = barAt(score.bars, app.player.position);
  const back = step < 0 && app.player.position - barStart(score, bar) > 0.5 ? 0 : step;
  return app.seek(barStart(score, Math.max(1, bar + back)));
}

function region(app, edge) {
  const score = app.shownScore();
  if (!score?.bars.length) return false;
  const bar = pieces.barHere(app, score);
  const old = app.store.state.region ?? { from: bar, to: score.bars.length };
  const next = edge === "from" ? { from: bar, to: Math.max(bar, old.to) } : { from: Math.min(old.from === bar && !app.store.state.region ? 1 : old.from, bar), to: bar };
  return app.store.change("region", next);
}

function keep(app) {
  const { region: bars } = app.store.state;
  return bars && app.editable() ? app.attempt(() => pieces.trim(app, bars.from, bars.to)) : false;
}

function candidate(app, number) {
  const { state } = app.store;
  if (state.job) return state.job.drafts[number - 1] ? app.store.change("draft", number - 1) : false;
  const node = together(state.nodes, pieces.nodeOf(state))[number - 1];
  return node ? app.show(node.id) : false;
}

function mix(app, what) {
  const { state } = app.store;
  const score = app.shownScore();
  const name = score?.notes[state.chosen[0]]?.instrument ?? score?.parts[0]?.instrument;
  if (!name) return false;
  const on = !channel(state.mixer, name)[what];
  app.store.change("mixer", { instrument: name, change: { [what]: on } });
  return app.say(`${name}: ${what} ${on ? "on" : "off"}.`);
}

function choose(app, step) {
  const { state } = app.store;
  const score = state.scores[state.shown];
  if (!state.editing || !score?.notes.length) return false;
  const chosen = state.chosen.length ? neighbour(score, state.chosen, step) : [noteFrom(score, app.player.position)];
  const note = score.notes[chosen[0]];
  app.store.change("choose", chosen);
  app.touch(note);
  app.reveal(note.start);
  return app.say(noteWords(note, placeOf(score, note.onset), score.ticks_per_beat, app.drumName), null, true);
}

function addHere(app) {
  const { state } = app.store;
  const score = state.scores[state.shown];
  if (!state.editing || !score) return false;
  const grid = Math.max(1, Math.round(score.ticks_per_beat / (state.grid || 4)));
  const tick = Math.round(tickAt(score.tempos, score.ticks_per_beat, app.player.position) / grid) * grid;
  const instrument = app.pen();
  const near = score.notes.filter((note) => note.instrument === instrument);
  const pitch = near.findLast((note) => note.onset <= tick)?.pitch ?? near[0]?.pitch ?? 60;
  return editing.commit(app, add(score, [{ instrument, pitch, velocity: 80, onset: tick, duration: grid }]));
}
