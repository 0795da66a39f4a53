/**
 * What to go on from: a theme, a MIDI file, or notes that are played.
 * @module
 */

import { keepPlayed, upload } from "../actions/pieces.js";
import * as performance from "../core/performance.js";
import { isBlack, pitchName } from "../core/words.js";
import { strike } from "../sound/synth.js";
import { button, dialog, h, iconButton, refill } from "./dom.js";

const LOWEST = 48;
const HIGHEST = 84;

/** The field of the opening. @returns {HTMLElement} */
export function openingField(app) {
  const set = (opening) => app.store.change("form", { opening });
  const shown = h("div", { class: "opening" });
  const file = h("input", { type: "file", accept: ".mid,.midi,audio/midi", hidden: true, "aria-label": "MIDI file",
    onchange: () => { const [chosen] = file.files; file.value = ""; if (chosen) app.attempt(() => upload(app, chosen)); } });
  const themes = h("select", { "aria-label": "Theme", onchange: () => { const theme = app.store.state.openings.find(({ id }) => id === themes.value); if (theme) set({ kind: "theme", id: theme.id, title: theme.title }); } });
  const ways = h("div", { class: "ways" }, themes,
    button("MIDI file…", () => file.click(), { "data-key": "file" }), button("Play it…", () => keyboard(app), { "data-key": "play-it" }), file);
  app.store.watch((state) => [state.form.opening, state.openings], ({ form, openings }) => {
    const { opening } = form;
    refill(themes, h("option", { value: "" }, "A theme…"), openings.map((theme) => h("option", { value: theme.id }, `${theme.title} (${theme.composer}, ${theme.year})`)));
    themes.value = opening?.kind === "theme" ? opening.id : "";
    refill(shown, opening ? continuing(opening, set) : h("p", { class: "quiet" }, "Begins from nothing. Or go on from:"));
  });
  return h("fieldset", {}, h("legend", {}, "Opening"), shown, ways);
}

function continuing(opening, set) {
  const bars = opening.kind === "node" && opening.bars
    ? h("label", { class: "keep" }, "keep bars 1 to ", h("input", {
        type: "number", min: 1, max: opening.bars, value: opening.bar ?? opening.bars, "data-key": "keep", "aria-label": "Last bar that is kept",
        onchange: (event) => set({ ...opening, bar: Math.min(opening.bars, Math.max(1, Math.round(Number(event.target.value)) || 1)) }),
      }))
    : null;
  return h("div", { class: "continuing" }, h("strong", {}, `Goes on from ${opening.title}`), bars,
    iconButton("close", "Begin from nothing", () => set(null), { "data-key": "no-opening" }));
}

/** A window with a piano, for the pointer, the letters of the keyboard and MIDI keyboards. */
function keyboard(app) {
  let keys = [];
  const context = app.player.open();
  const began = context.currentTime;
  const now = () => context.currentTime - began;
  const count = h("p", { class: "quiet", role: "status" }, "Click the keys, press A to ; or play a MIDI keyboard.");
  const use = button("Go on from this", () => { app.attempt(() => keepPlayed(app, performance.scoreOf(keys, "piano", now()))); window_.close(); }, { class: "primary", disabled: true });
  const clear = button("Again from the start", () => { keys = []; told(); }, { disabled: true });
  const told = () => {
    use.disabled = clear.disabled = !keys.length;
    count.textContent = keys.length ? `${keys.length} notes: ${keys.slice(-12).map(({ pitch }) => pitchName(pitch)).join(" ")}` : "Nothing is played yet.";
  };
  const press = (pitch, velocity = 88) => {
    keys = performance.pressed(keys, pitch, velocity, now());
    strike(context, app.player.mix.part("piano"), { instrument: "piano", pitch, velocity }, context.currentTime, 0.6);
    lit(pitch, true);
    told();
  };
  const release = (pitch) => { keys = performance.released(keys, pitch, now()); lit(pitch, false); };
  const board = h("div", { class: "piano", role: "group", "aria-label": "Piano keys" });
  for (let pitch = LOWEST; pitch <= HIGHEST; pitch += 1) board.append(key(pitch, press, release));
  const lit = (pitch, on) => board.querySelector(`[data-pitch="${pitch}"]`)?.classList.toggle("down", on);
  const window_ = dialog("Play an opening", board, count, h("footer", {}, clear, use));
  letters(window_, press, release);
  const unplug = midi(press, release);
  window_.addEventListener("close", unplug);
}

function key(pitch, press, release) {
  const down = (event) => { event.preventDefault(); event.target.releasePointerCapture?.(event.pointerId); press(pitch); };
  const up = () => release(pitch);
  return h("button", {
    type: "button", class: isBlack(pitch) ? "black" : "white", "data-pitch": pitch, "aria-label": pitchName(pitch),
    onpointerdown: down, onpointerup: up, onpointerleave: up,
    onpointerenter: (event) => event.buttons && press(pitch),
    onkeydown: (event) => (event.key === "Enter" || event.key === " ") && !event.repeat && (event.preventDefault(), press(pitch)),
    onkeyup: (event) => (event.key === "Enter" || event.key === " ") && up(),
  }, pitch % 12 === 0 ? h("span", {}, pitchName(pitch)) : null);
}

function letters(element, press, release) {
  const pitchOf = (event) => performance.LETTERS[event.key.toLowerCase()];
  element.addEventListener("keydown", (event) => {
    const step = pitchOf(event);
    if (step === undefined || event.repeat || event.ctrlKey || event.metaKey) return;
    event.stopPropagation();
    press(60 + step);
  });
  element.addEventListener("keyup", (event) => pitchOf(event) !== undefined && release(60 + pitchOf(event)));
}

/** Listens to MIDI keyboards where the browser can; gives what stops it. */
function midi(press, release) {
  let inputs = [];
  navigator.requestMIDIAccess?.().then((access) => {
    inputs = [...access.inputs.values()];
    for (const input of inputs) input.onmidimessage = ({ data }) => {
      const key = performance.keyOf(data);
      if (key?.down) press(key.pitch, key.velocity);
      else if (key) release(key.pitch);
    };
  }, () => {});
  return () => inputs.forEach((input) => { input.onmidimessage = null; });
}
