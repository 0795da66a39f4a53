/**
 * The mixer: a strip for each part.
 * @module
 */

import { channel } from "../core/mixer.js";
import { capital } from "../core/words.js";
import { h, refill } from "./dom.js";

/** Fills the mixer. */
export function partsView(app, element) {
  app.store.watch((state) => [app.shownScore()?.parts, state.mixer, state.pen, state.editing, app.whole], (state) => {
    const parts = app.shownScore()?.parts ?? [];
    element.hidden = !parts.length;
    refill(element, parts.map((part) => strip(app, part, state)));
  });
}

function strip(app, part, { mixer, editing }) {
  const name = part.instrument;
  const { mute, solo, volume } = channel(mixer, name);
  const change = (next) => app.store.change("mixer", { instrument: name, change: next });
  const toggle = (label, letter, on, next) => h("button", {
    type: "button", class: `mini${on ? " on" : ""}`, "aria-pressed": String(on), "aria-label": `${label} ${name}`, title: label,
    "data-key": `${label} ${name}`, disabled: app.whole, onclick: () => change(next),
  }, letter);
  return h("li", { class: `part${mute ? " muted" : ""}`, colour: app.colours[name] ?? "#888" },
    editing
      ? h("button", { type: "button", class: "pen", "aria-pressed": String(app.pen() === name), "data-key": `pen ${name}`, title: "New notes are of this part", onclick: () => app.store.change("pen", name) }, capital(name))
      : h("span", { class: "name", title: `${part.notes} notes` }, capital(name)),
    toggle("Mute", "M", mute, { mute: !mute }),
    toggle("Solo", "S", solo, { solo: !solo }),
    h("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: volume, disabled: app.whole, "data-key": `volume ${name}`, "aria-label": `Volume of ${name}`, "aria-valuetext": `${Math.round(volume * 100)} %`,
      oninput: (event) => change({ volume: Number(event.target.value) }), ondblclick: () => change({ volume: 1 }) }));
}
