/**
 * What to go on from: a theme, a MIDI file, or notes that are played.
 * @module
 */

import { upload } from "../actions/pieces.js";
import { button, h, iconButton, refill } from "./dom.js";
import { keyboardDialog } from "./keyboard.js";

/** The field of the opening. @returns {HTMLElement} */
export function openingField(app) {
  const set = (opening) => app.store.change("form", { opening });
  const shown = h("div", { class: "opening" });
  const file = h("input", { type: "file", accept: ".mid,.midi,audio/midi", hidden: true, "aria-label": "MIDI file",
    onchange: () => { const [chosen] = file.files; file.value = ""; if (chosen) app.attempt(() => upload(app, chosen)); } });
  const themes = h("select", { "aria-label": "Theme", onchange: () => { const theme = app.store.state.openings.find(({ id }) => id === themes.value); if (theme) set({ kind: "theme", id: theme.id, title: theme.title }); } });
  const ways = h("div", { class: "ways" }, themes,
    button("MIDI file…", () => file.click(), { "data-key": "file" }), button("Play it…", () => keyboardDialog(app), { "data-key": "play-it" }), file);
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
