/**
 * Choosing instruments: ensembles, and chips by family.
 * @module
 */

import { byFamily, ENSEMBLES } from "../core/prompt.js";
import { capital } from "../core/words.js";
import { button, h, refill } from "./dom.js";

/** The field of instruments. @returns {HTMLElement} */
export function instrumentField(app) {
  const { store } = app;
  const set = (instruments) => store.change("form", { instruments });
  const toggle = (name) => {
    const { instruments } = store.state.form;
    set(instruments.includes(name) ? instruments.filter((other) => other !== name) : [...instruments, name]);
  };
  const chosen = h("div", { class: "chips", role: "group", "aria-label": "Chosen instruments" });
  const families = h("div", { class: "families" });
  const ensembles = h("div", { class: "chips", role: "group", "aria-label": "Ensembles" });
  const all = h("details", {}, h("summary", {}, "All instruments"), families);
  store.watch((state) => [state.form.instruments, state.instruments], ({ form, instruments }) => {
    refill(chosen, form.instruments.length
      ? form.instruments.map((name) => chip(app, name, true, toggle, "chosen"))
      : h("span", { class: "quiet" }, "None chosen: the style decides."));
    refill(ensembles, ENSEMBLES.map(({ name, instruments: names }) =>
      button(name, () => set(names), { class: "chip plain", "data-key": name, "aria-pressed": String(same(names, form.instruments)) })));
    refill(families, byFamily(instruments).map((family) =>
      h("div", { role: "group", "aria-label": family.name }, h("h4", {}, family.name),
        h("div", { class: "chips" }, family.instruments.map(({ name }) =>
          chip(app, name, form.instruments.includes(name), toggle, "all"))))));
  });
  return h("fieldset", {}, h("legend", {}, "Instruments"), chosen, ensembles, all);
}

const same = (one, other) => one.length === other.length && one.every((name) => other.includes(name));

function chip(app, name, on, toggle, where) {
  return h("button", {
    type: "button", class: "chip dotted", "aria-pressed": String(on), "data-key": `${where} ${name}`,
    colour: app.colours[name] ?? "", onclick: () => toggle(name),
  }, capital(name), where === "chosen" ? h("span", { "aria-hidden": "true" }, " ×") : null);
}
