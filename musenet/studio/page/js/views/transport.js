/**
 * Play, pause, where the cursor stands.
 * @module
 */

import { barAt } from "../core/time.js";
import { titleOf } from "../core/tree.js";
import { clock } from "../core/words.js";
import { h, icon, iconButton, refill } from "./dom.js";

const SAYS = { stopped: "Play", loading: "Loading the sound: pause", playing: "Pause" };

/** Fills the transport; gives what follows the cursor in every frame. */
export function transportView(app, element) {
  const play = h("button", { type: "button", class: "play", onclick: () => app.toggle() });
  const slider = h("input", { type: "range", class: "seek", min: 0, max: 1, step: 0.01, value: 0, "aria-label": "Position", oninput: () => app.seek(Number(slider.value)) });
  const time = h("span", { class: "clock" });
  const bar = h("span", { class: "bar-number" });
  const sides = h("span", { class: "segments sides", role: "group", "aria-label": "Which is heard", hidden: true });
  element.append(iconButton("start", "To the beginning", () => app.seek(0)), play, time, slider, bar, sides);
  app.store.watch((state) => [state.playing], ({ playing }) => {
    play.replaceChildren(icon(playing === "stopped" ? "play" : "pause"));
    play.classList.toggle("loading", playing === "loading");
    play.setAttribute("aria-label", SAYS[playing]);
    play.title = `${SAYS[playing]} (space)`;
  });
  app.store.watch((state) => [state.compared, state.side, state.nodes], ({ compared, side, shown, nodes }) => {
    sides.hidden = !compared;
    refill(sides, [["a", shown], ["b", compared]].map(([name, id]) => {
      const node = nodes.find((other) => other.id === id);
      return h("button", { type: "button", class: "side", "aria-pressed": String(side === name), "data-key": `side ${name}`, title: node ? titleOf(node) : "", onclick: () => app.store.change("side", name) }, name.toUpperCase());
    }));
  });
  return (position, score) => {
    const seconds = score?.seconds ?? 0;
    play.disabled = !score;
    slider.disabled = !score;
    slider.max = seconds || 1;
    if (document.activeElement !== slider || app.store.state.playing === "playing") slider.value = position;
    slider.setAttribute("aria-valuetext", `${clock(position)} of ${clock(seconds)}`);
    setText(time, `${clock(position)} / ${clock(seconds)}`);
    setText(bar, score?.bars.length ? `bar ${Math.min(barAt(score.bars, position), score.bars.length)} of ${score.bars.length}` : "");
  };
}

const setText = (element, text) => element.textContent !== text && (element.textContent = text);
