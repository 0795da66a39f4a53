/**
 * A window with a piano, for the pointer, the letters of the keyboard and MIDI keyboards.
 * @module
 */

import { keepPlayed } from "../actions/pieces.js";
import * as played from "../core/performance.js";
import { count, isBlack, listed, pitchName } from "../core/words.js";
import { isAllowed, listen } from "../sound/midi.js";
import { strike } from "../sound/synth.js";
import { button, dialog, h } from "./dom.js";

/** Keys of the piano: from C3 where there is room, else from C4, so that they are wide enough. */
const [LOWEST, LOWEST_NARROW, HIGHEST] = [48, 60, 84];
const NARROW = "(max-width: 699.98px)";
const SHOWN = 12;

/** Opens the window. */
export function keyboardDialog(app) {
  const says = h("p", { class: "quiet", role: "status" });
  const board = h("div", { class: "piano", role: "group", "aria-label": "Piano keys" });
  const playing = performer(app, board, (keys) => {
    use.disabled = clear.disabled = !keys.length;
    says.textContent = keys.length ? `${count(keys.length, "note")}: ${keys.slice(-SHOWN).map(({ pitch }) => pitchName(pitch)).join(" ")}` : "Nothing is played yet.";
  });
  for (let pitch = matchMedia(NARROW).matches ? LOWEST_NARROW : LOWEST; pitch <= HIGHEST; pitch += 1) board.append(key(pitch, playing));
  board.style.setProperty("--whites", board.querySelectorAll(".white").length);
  const use = button("Go on from this", () => { app.attempt(() => keepPlayed(app, playing.score())); element.close(); }, { class: "primary" });
  const clear = button("Again from the start", playing.clear);
  const element = dialog("Play an opening", h("p", { class: "quiet" }, "Click the keys, press the letters A to ; or play a MIDI keyboard."),
    board, midiField(playing), says, h("footer", {}, clear, use));
  element.classList.add("keyboard");
  letters(element, playing);
  playing.clear();
}

/** What is played: keys go down and up, and are heard and seen. */
function performer(app, board, told) {
  const context = app.player.open();
  const lit = (pitch, on) => board.querySelector(`[data-pitch="${pitch}"]`)?.classList.toggle("down", on);
  let [keys, pedal, sustained] = [[], false, new Set()];
  const now = () => performance.now();
  const end = (pitch, time) => { keys = played.released(keys, pitch, time / 1000); };
  return {
    press(pitch, velocity = 88, time = now()) {
      sustained.delete(pitch);
      keys = played.pressed(keys, pitch, velocity, time / 1000);
      strike(context, app.player.mix.part("piano"), { instrument: "piano", pitch, velocity }, context.currentTime, 0.6);
      lit(pitch, true);
      told(keys);
    },
    release(pitch, time = now()) {
      if (pedal) sustained.add(pitch);
      else end(pitch, time);
      lit(pitch, false);
    },
    pedal(down, time = now()) {
      pedal = down;
      if (!down) for (const pitch of sustained) end(pitch, time);
      if (!down) sustained = new Set();
    },
    /** Lets all go, as when a keyboard is unplugged. */
    rest() {
      this.pedal(false);
      for (const { pitch, stop } of keys) if (stop === null) this.release(pitch);
    },
    clear() {
      keys = [];
      told(keys);
    },
    score: () => played.scoreOf(keys, "piano", now() / 1000),
  };
}

function key(pitch, playing) {
  const down = (event) => { event.preventDefault(); event.target.releasePointerCapture?.(event.pointerId); playing.press(pitch); };
  const up = () => playing.release(pitch);
  const isPress = (event) => event.key === "Enter" || event.key === " ";
  return h("button", {
    type: "button", class: isBlack(pitch) ? "black" : "white", "data-pitch": pitch, "aria-label": pitchName(pitch),
    onpointerdown: down, onpointerup: up, onpointerleave: up,
    onpointerenter: (event) => event.buttons && playing.press(pitch),
    onkeydown: (event) => isPress(event) && !event.repeat && (event.preventDefault(), playing.press(pitch)),
    onkeyup: (event) => isPress(event) && up(),
  }, pitch % 12 === 0 ? h("span", {}, pitchName(pitch)) : null);
}

function letters(element, playing) {
  const pitchOf = (event) => 60 + played.LETTERS[event.key.toLowerCase()];
  element.addEventListener("keydown", (event) => {
    if (Number.isNaN(pitchOf(event)) || event.repeat || event.ctrlKey || event.metaKey) return;
    event.stopPropagation();
    playing.press(pitchOf(event));
  });
  element.addEventListener("keyup", (event) => Number.isNaN(pitchOf(event)) || playing.release(pitchOf(event)));
}

/** A button that has MIDI keyboards heard, and what there is to say of them. */
function midiField(playing) {
  const says = h("p", { class: "quiet", role: "status" });
  const ask = button("Use a MIDI keyboard", () => start());
  const row = h("div", { class: "row" }, ask, says);
  let [known, stop] = [0, null];
  const heard = (data, time) => {
    const message = played.messageOf(data);
    if (message) playing[message.kind](...message.values, time);
  };
  const told = (names) => {
    if (names.length < known) playing.rest();
    known = names.length;
    if (document.activeElement === ask) row.closest("dialog").querySelector(".piano button").focus();
    ask.hidden = true;
    says.textContent = names.length ? `Listening to ${listed(names)}.` : "No MIDI keyboard is plugged in: plug one in and play.";
  };
  const start = async () => {
    try {
      stop ??= await listen(heard, told);
      if (!row.isConnected) stop();
    } catch (error) {
      says.textContent = error.message;
    }
  };
  isAllowed().then((allowed) => allowed && row.isConnected && start());
  queueMicrotask(() => row.closest("dialog")?.addEventListener("close", () => stop?.()));
  return row;
}
