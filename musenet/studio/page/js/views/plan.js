/**
 * The editor of sections: what changes on the way.
 * @module
 */

import { added, changed, DENSITIES, removed, secondsOf } from "../core/plan.js";
import { byFamily, ENSEMBLES, KEYS } from "../core/prompt.js";
import { capital, clock } from "../core/words.js";
import { button, h, iconButton, refill } from "./dom.js";

const MOST = 16;

/** The field of sections. @returns {HTMLElement} */
export function planField(app) {
  const { store } = app;
  const set = (sections) => store.change("form", { sections });
  const summary = h("summary", {}, "Sections");
  const list = h("ol", { class: "plan", "aria-label": "Sections" });
  const more = button("Add a section", () => set(added(store.state.form.sections, store.state.form.minutes)), { class: "chip plain" });
  const field = h("details", { class: "more" }, summary,
    h("p", { class: "quiet" }, "What changes on the way: another style, other instruments, more or fewer notes."), list, more);
  store.watch((state) => [state.form.sections, state.form.minutes, state.styles, state.instruments], (state) => {
    const { sections } = state.form;
    summary.textContent = sections.length ? `Sections · ${sections.length} on the way` : "Sections";
    if (sections.length) field.open = true;
    more.disabled = sections.length >= MOST;
    refill(list, sections.map((section, index) => card(state, section, index, set)));
  });
  return field;
}

function card(state, section, index, set) {
  const { sections, minutes } = state.form;
  const change = (what) => set(changed(sections, index, what));
  const name = `Section ${index + 1}`;
  const late = section.at >= 60 * minutes;
  return h("li", { "data-key": String(index), role: "group", "aria-label": name },
    h("div", { class: "row" },
      h("label", {}, "From ", timeInput(section, name, change)),
      late ? h("span", { class: "late" }, "the piece is over by then") : h("span", { class: "quiet" }, `to ${clock(sections[index + 1]?.at ?? 60 * minutes)}`),
      iconButton("close", `Remove section ${index + 1}`, () => set(removed(sections, index)))),
    choices(Object.keys(section.styles), "Style", `${name}: style`, styleOptions(state.styles),
      (names) => change({ styles: Object.fromEntries(names.map((style) => [style, section.styles[style] ?? 1])) })),
    choices(section.instruments, "Instruments", `${name}: instruments`, instrumentOptions(state.instruments),
      (instruments) => change({ instruments })),
    choice("Key", `${name}: key`, KEYS, section.key, (key) => change({ key })),
    choice("Density", `${name}: density`, Object.keys(DENSITIES), section.density, (density) => change({ density })));
}

/** One of several words, or none. */
function choice(title, label, words, chosen, set) {
  return asked(title, h("select", { "aria-label": label, onchange: (event) => set(event.target.value) },
    h("option", { value: "" }, "As before"),
    words.map((word) => h("option", { value: word, selected: word === chosen }, capital(word)))));
}

const asked = (label, field) => h("div", { class: "asked" }, h("span", { "aria-hidden": "true" }, label), field);

function timeInput(section, name, change) {
  return h("input", {
    type: "text", inputmode: "numeric", value: clock(section.at), pattern: "(\\d+:)?\\d+(\\.\\d+)?",
    title: "minutes:seconds, such as 1:30", "aria-label": `${name}: begins at`,
    onchange: (event) => {
      const at = secondsOf(event.target.value);
      if (at === null) event.target.value = clock(section.at);
      else change({ at });
    },
  });
}

/** Names that are chosen as chips, and a list to choose more from. */
function choices(names, title, label, options, set) {
  const select = h("select", {
    "aria-label": label, value: "",
    onchange: (event) => {
      const chosen = event.target.value.split(",");
      event.target.value = "";
      set([...new Set([...names, ...chosen])]);
    },
  }, h("option", { value: "" }, names.length ? "Add…" : "As before"), options);
  const chips = names.map((name) => h("button", {
    type: "button", class: "chip", "aria-pressed": "true", "aria-label": `${label}: remove ${name}`,
    onclick: () => set(names.filter((other) => other !== name)),
  }, capital(name), h("span", { "aria-hidden": "true" }, " ×")));
  return asked(title, h("div", { class: "chips" }, chips, select));
}

const group = (label, entries) =>
  h("optgroup", { label }, entries.map(({ name, value }) => h("option", { value }, capital(name))));

function styleOptions(styles) {
  const known = styles.filter((style) => style.works !== 0 && !style.fault);
  const kinds = [["Your own", "own"], ["Families", "family"], ["Genres", "genre"], ["Composers", "composer"]];
  const groups = kinds.map(([label, kind]) => [label, known.filter((style) => style.kind === kind)]);
  return groups.filter(([, rows]) => rows.length).map(([label, rows]) =>
    group(label, rows.map(({ name }) => ({ name, value: name }))));
}

const instrumentOptions = (instruments) => [
  group("Together", ENSEMBLES.map((ensemble) => ({ name: ensemble.name, value: ensemble.instruments.join(",") }))),
  ...byFamily(instruments).map((family) =>
    group(family.name, family.instruments.map(({ name }) => ({ name, value: name })))),
];
