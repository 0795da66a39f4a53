/**
 * The page: one state, one player, and the views around them.
 * @module
 */

import { shownDraft } from "./actions/composing.js";
import * as editing from "./actions/editing.js";
import { doAgain, load, nodeOf, takeBack, upload } from "./actions/pieces.js";
import { boot, keepView } from "./actions/projects.js";
import { onDark } from "./core/colour.js";
import { gains } from "./core/mixer.js";
import { marks } from "./core/plan.js";
import { INITIAL, reduce } from "./core/state.js";
import { showing } from "./core/time.js";
import { sections, together } from "./core/tree.js";
import { listen } from "./keys.js";
import { Player } from "./sound/player.js";
import { PieceSource } from "./sound/stems.js";
import { strike, SynthSource } from "./sound/synth.js";
import { createStore } from "./store.js";
import { candidatesView } from "./views/candidates.js";
import { iconButton } from "./views/dom.js";
import { Editor } from "./views/editor.js";
import { exportDialog } from "./views/export.js";
import { formView } from "./views/form.js";
import { helpDialog } from "./views/help.js";
import { noticeView, tipView, welcomeView } from "./views/notices.js";
import { partsView } from "./views/parts.js";
import { projectView } from "./views/projects.js";
import { Roll, Viewport } from "./views/roll.js";
import { isDark, themeButton } from "./views/theme.js";
import { toolsView } from "./views/tools.js";
import { transportView } from "./views/transport.js";
import { versionsView } from "./views/versions.js";

const by = (id) => document.getElementById(id);

/** Everything that views and actions share. */
class Studio {
  constructor() {
    this.store = createStore(reduce, INITIAL);
    this.player = new Player((state) => this.store.change("playing", state), (error) => this.fail(error));
    this.clipboard = null;
    this.whole = false;
    this.dirty = true;
    this.colours = {};
  }

  /** Runs something that may fail, and tells people if it does. */
  async attempt(work) {
    try {
      return await work();
    } catch (error) {
      return this.fail(error);
    }
  }

  /** Tells people something. @param {{label: string, act: () => any} | null} [action]
   * @param {boolean} [quiet] for screen readers alone */
  say(text, action = null, quiet = false) {
    if (quiet) by("live").textContent = text;
    else this.store.change("notice", { text, action, kind: "status" });
  }

  /** Tells people what went wrong. */
  fail(error) {
    this.store.change("notice", { text: error.message, action: null, kind: "alert" });
  }

  /** The score that is looked at: of a draft, or of the node that is shown. */
  shownScore() {
    const { scores, shown, draft } = this.store.state;
    return draft === null ? (scores[shown] ?? null) : (this.drafted ?? null);
  }

  /** The score that is heard. */
  heardScore() {
    const { state } = this.store;
    return state.side === "b" && state.compared ? (state.scores[state.compared] ?? null) : this.shownScore();
  }

  /** Whether the notes that are shown may be changed. */
  editable() {
    const { shown, draft, compared, scores } = this.store.state;
    return Boolean(shown && draft === null && !compared && scores[shown]);
  }

  /** Whether notes are being dragged. */
  dragging() {
    return Boolean(this.roll?.drag?.result);
  }

  /** The part that new notes are of. */
  pen() {
    const parts = this.shownScore()?.parts ?? [];
    const { pen } = this.store.state;
    return parts.some((part) => part.instrument === pen) ? pen : (parts.find((part) => !part.drums)?.instrument ?? "piano");
  }

  drumName = (key) => this.store.state.drumKeys[key] ?? `Key ${key}`;

  /** Colours of a score's parts, for the theme. */
  coloursOf(score) {
    const own = Object.fromEntries(score.parts.map((part) => [part.instrument, part.colour ?? this.plain[part.instrument]]));
    return this.themed({ ...this.plain, ...own });
  }

  themed(colours) {
    if (!isDark()) return colours;
    return Object.fromEntries(Object.entries(colours).map(([name, colour]) => [name, onDark(colour)]));
  }

  show(id) {
    this.store.change("show", id);
    this.attempt(() => load(this, id));
  }

  compare(id) {
    this.store.change("compare", id);
    this.store.change("tab", "music");
    this.focus("roll");
    this.attempt(() => load(this, id));
  }

  commit(result) {
    editing.commit(this, result);
  }

  /** Plays or pauses. @param {boolean} [on] play whatever goes on now */
  toggle(on) {
    this.player.open();
    queueMicrotask(() => {
      if (!on && this.store.state.playing !== "stopped") this.player.pause();
      else if (this.store.state.playing === "stopped") this.player.play();
      this.mix();
    });
  }

  seek(seconds) {
    this.player.seek(seconds);
    this.reveal(seconds);
  }

  /** Has the roll show a second. */
  reveal(seconds) {
    if (!this.roll.score) return;
    this.viewport.span = showing(this.viewport.span, seconds, this.roll.score.seconds, this.roll.width);
    this.redraw();
  }

  /** Sounds a note that is touched. */
  touch(note) {
    const context = this.player.open();
    strike(context, this.player.mix.part(note.instrument), note, context.currentTime, 0.3);
  }

  /** The gains of the mixer, at once. */
  mix() {
    const score = this.heardScore();
    if (!this.player.mix || !score) return;
    this.player.mix.apply(gains(this.store.state.mixer, score.parts.map((part) => part.instrument)));
  }

  redraw() {
    this.dirty = true;
  }

  /** Paints the rolls now. */
  paint() {
    const { playing, side } = this.store.state;
    const position = this.player.position;
    this.dirty = false;
    this.painted = position;
    this.roll.paint(position, playing === "playing" && side === "a");
    this.other.paint(position, playing === "playing" && side === "b");
  }

  focus(id) {
    if (id === "style-search") this.store.change("tab", "compose");
    setTimeout(() => by(id)?.focus(), 0);
  }
}

/** What is played follows what is shown. */
function sound(app) {
  let last = "";
  app.store.watch((state) => [state.shown, state.compared, state.side, state.draft, state.job?.id, state.nodes, state.scores], (state) => {
    const node = nodeOf(state, state.side === "b" ? state.compared : state.shown);
    const key = state.draft !== null ? `draft ${state.job.id} ${state.draft}` : node ? `${node.id} ${node.revision}` : "";
    if (key === last) return;
    last = key;
    app.whole = false;
    app.player.use(state.draft !== null
      ? new SynthSource(app.player, () => shownDraft(app))
      : node && new PieceSource(app.player, node, () => wholeMix(app)));
    app.mix();
  });
  app.store.watch((state) => [state.mixer, state.shown, state.side, state.compared, state.scores], () => app.mix());
}

function wholeMix(app) {
  app.whole = true;
  app.store.change("mixer", { instrument: "", change: {} });
  app.say("The parts cannot be had one by one here, so the whole mix plays: mute and solo are off.");
}

/** Rolls follow what is shown. */
function rolls(app) {
  app.viewport = new Viewport();
  app.roll = new Roll(app, by("roll"), app.viewport, new Editor(app));
  app.other = new Roll(app, by("roll-b"), app.viewport, null);
  app.other.quiet = true;
  app.store.watch((state) => [state.shown, state.draft, state.compared], () => Object.assign(app.viewport, { fit: true, rows: 1, shift: 0 }));
  app.store.watch((state) => [state.scores, state.shown, state.draft, state.job, state.compared, state.nodes], (state) => {
    app.drafted = shownDraft(app);
    const score = app.shownScore();
    const [node, other] = [nodeOf(state), nodeOf(state, state.compared)];
    if (score !== app.roll.score) app.roll.show(score, node && state.draft === null ? sectionsOf(state, node, score) : []);
    const second = state.compared ? (state.scores[state.compared] ?? null) : null;
    by("roll-b-frame").hidden = by("roll-name").hidden = !state.compared;
    if (second !== app.other.score) app.other.show(second, other ? sectionsOf(state, other, second) : []);
    by("rolls").hidden = !score;
    describe(app, node, score);
  });
  app.store.watch((state) => [state.chosen, state.region, state.mixer, state.playing, state.side, state.editing], () => app.redraw());
}

/** Where something else begins in a piece: its continuations and the sections asked for. */
function sectionsOf({ nodes }, node, score) {
  if (!score) return [];
  return [...sections(nodes, node), ...marks(node, score)].sort((a, b) => a.bar - b.bar);
}

function describe(app, node, score) {
  if (!score) return;
  const parts = score.parts.map((part) => part.instrument).join(", ");
  by("roll").setAttribute("aria-label", `Piano roll: ${score.notes.length} notes, ${score.bars.length} bars; ${parts}. Arrow keys move by bars; E edits notes.`);
}

/** Paints what has changed, once a frame. */
function frames(app, moved, drawCards) {
  const frame = () => {
    const position = app.player.position;
    moved(position, app.heardScore());
    if (app.dirty || app.store.state.playing === "playing" || position !== app.painted) app.paint();
    requestAnimationFrame(frame);
  };
  window.addEventListener("resize", () => { drawCards(); app.redraw(); });
  requestAnimationFrame(frame);
}

/** Files that are dropped anywhere. */
function drops(app) {
  const over = (on) => document.body.classList.toggle("dropping", on);
  document.addEventListener("dragover", (event) => { event.preventDefault(); over(true); });
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over(false));
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over(false);
    const [file] = event.dataTransfer.files;
    if (file) app.attempt(() => upload(app, file));
  });
}

function tabs(app, drawCards) {
  const buttons = [...document.querySelectorAll("button[data-tab]")];
  for (const button of buttons) button.addEventListener("click", () => app.store.change("tab", button.dataset.tab));
  app.store.watch((state) => [state.tab], ({ tab }) => {
    document.body.dataset.tab = tab;
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.tab === tab));
    drawCards();
    app.redraw();
  });
}

function header(app) {
  const undo = iconButton("undo", "Undo (Ctrl+Z)", () => app.attempt(() => takeBack(app)));
  const redo = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => app.attempt(() => doAgain(app)));
  const save = iconButton("save", "Export (Ctrl+E)", () => app.attempt(() => exportDialog(app)));
  by("actions").append(undo, redo, save, themeButton(() => repaint(app)), iconButton("help", "Keys (?)", helpDialog));
  app.store.watch((state) => [state.history, state.nodes, state.shown], (state) => {
    const node = nodeOf(state);
    undo.disabled = !state.history.past.length && !node?.can_undo;
    redo.disabled = !state.history.future.length && !node?.can_redo;
    save.disabled = !node;
  });
}

/** Colours of another theme. */
function repaint(app) {
  app.colours = app.themed(app.plain);
  app.store.change("catalogue", { instruments: [...app.store.state.instruments] });
  for (const roll of [app.roll, app.other]) roll.show(roll.score, roll.sections);
}

/** Reads the notes of what is shown, then of the candidates beside it. */
async function loadShown(app, { nodes, shown }) {
  if (!shown) return;
  await load(app, shown);
  for (const { id } of together(nodes, nodeOf({ nodes, shown }))) await load(app, id);
}

function start() {
  const app = new Studio();
  app.plain = {};
  app.tip = tipView(by("tip"));
  app.store.watch((state) => [state.instruments], ({ instruments }) => {
    app.plain = Object.fromEntries(instruments.map(({ name, colour }) => [name, colour]));
    app.colours = app.themed(app.plain);
  });
  app.store.watch((state) => [state.shown, state.nodes], (state) => app.attempt(() => loadShown(app, state)));
  rolls(app);
  header(app);
  noticeView(app, by("notice"));
  projectView(app, by("project"));
  formView(app, by("compose"));
  versionsView(app, by("versions"));
  welcomeView(app, by("welcome"));
  toolsView(app, by("tools"));
  partsView(app, by("parts"));
  const drawCards = candidatesView(app, by("candidates"));
  frames(app, transportView(app, by("transport")), drawCards);
  sound(app);
  tabs(app, drawCards);
  drops(app);
  listen(app);
  keepView(app);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => repaint(app));
  app.attempt(() => boot(app)).then(() => { document.body.dataset.ready = "true"; });
  return app;
}

/** The page's own, for consoles and tests. */
globalThis.studio = start();
