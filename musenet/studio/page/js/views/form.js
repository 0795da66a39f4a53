/**
 * The form: what to compose, and the one button.
 * @module
 */

import { compose, stop } from "../actions/composing.js";
import { isOver, progressWords } from "../core/draft.js";
import { DENSITIES, DRAWN, DYNAMICS, KEYS, METRES, MOODS, sentence } from "../core/prompt.js";
import { capital, minutesWords } from "../core/words.js";
import { button, h, refill } from "./dom.js";
import { instrumentField } from "./instruments.js";
import { openingField } from "./opening.js";
import { planField } from "./plan.js";
import { styleField } from "./styles.js";

/** Fills the compose panel. */
export function formView(app, element) {
  const form = h("form", { class: "compose", "aria-label": "What to compose", onsubmit: (event) => { event.preventDefault(); app.attempt(() => compose(app)); } },
    styleField(app), instrumentField(app), lengthField(app), moodField(app), openingField(app), candidatesField(app), planField(app), moreField(app));
  // what is folded away could not be pointed at
  form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);
  element.append(h("h2", { class: "hidden" }, "Compose"), form, composeBar(app, form));
}

/** Asks for what the form says, what is still being typed in it too. */
export function submit() {
  const typing = document.activeElement;
  typing.blur();
  typing.focus();
  document.querySelector("form.compose").requestSubmit();
}

function composeBar(app, form) {
  const start = h("button", { type: "button", class: "primary", onclick: () => form.requestSubmit() }, "Compose");
  const halt = button("Stop", () => app.attempt(() => stop(app)), { class: "primary stop" });
  const says = h("p", { class: "quiet" });
  const progress = h("progress", { value: 0, max: 1, "aria-label": "Composed" });
  app.store.watch((state) => [state.job, state.form, state.about], ({ job, form: asked, about }) => {
    const going = Boolean(job && !isOver(job));
    start.disabled = !about;
    start.hidden = going;
    halt.hidden = progress.hidden = !going;
    progress.value = going ? Math.min(1, job.seconds / Math.max(job.of, 0.1)) : 0;
    says.textContent = going ? progressWords(job) : sentence(asked);
    says.title = sentence(asked);
  });
  return h("div", { class: "compose-bar" }, says, progress, start, halt);
}

function lengthField(app) {
  const output = h("output", { for: "minutes" });
  const slider = h("input", { type: "range", id: "minutes", min: 0.25, max: 10, step: 0.25, oninput: (event) => app.store.change("form", { minutes: Number(event.target.value) }) });
  app.store.watch((state) => [state.form.minutes, state.about], ({ form, about }) => {
    slider.max = about?.limits.minutes ?? 10;
    slider.value = form.minutes;
    slider.setAttribute("aria-valuetext", minutesWords(form.minutes));
    output.textContent = minutesWords(form.minutes);
  });
  return h("fieldset", {}, h("legend", {}, h("label", { for: "minutes" }, "Length")), h("div", { class: "row" }, slider, output));
}

/** Buttons of which one is on; a number that none stands for, as of a piece asked for elsewhere, gets one. */
function segmented(app, label, name, choices) {
  const group = h("div", { class: "segments", role: "radiogroup", "aria-label": label });
  const segment = ({ value, says, title }) => h("label", { title, "data-key": `${name} ${value}` },
    h("input", { type: "radio", name, value: String(value), onchange: () => app.store.change("form", { [name]: value }) }), h("span", {}, says));
  app.store.watch((state) => [state.form[name]], ({ form: { [name]: chosen } }) => {
    const known = choices.some(({ value }) => value === chosen);
    refill(group, [...choices, ...(known ? [] : [{ value: chosen, says: String(Math.round(10 * chosen) / 10) }])].map(segment));
    for (const input of group.querySelectorAll("input")) input.checked = input.value === String(chosen);
  });
  return group;
}

function moodField(app) {
  const choices = MOODS.map(({ name, says, bpm }) => ({ value: name, says, title: bpm ? `${bpm} beats a minute` : "as the style has it" }));
  const field = h("fieldset", {}, h("legend", {}, "Tempo"), segmented(app, "Tempo", "mood", choices), h("p", { class: "quiet given" }, "Tempo and metre go on as they are."));
  app.store.watch((state) => [state.form.opening], ({ form }) => field.classList.toggle("goes-on", form.opening !== null));
  return field;
}

function candidatesField(app) {
  const choices = Array.from({ length: 8 }, (_, index) => ({ value: index + 1, says: String(index + 1), title: `${index + 1} to choose from` }));
  return h("fieldset", {}, h("legend", {}, "Candidates"), segmented(app, "Candidates", "candidates", choices));
}

/** One of several words; what is none of them, as of a piece asked for elsewhere, is one more. */
function choice(app, name, words) {
  const select = h("select", { id: name, onchange: (event) => app.store.change("form", { [name]: event.target.value }) });
  app.store.watch((state) => [state.form[name]], ({ form: { [name]: chosen } }) => {
    refill(select, [...new Set([...words, chosen])].map((value) => h("option", { value }, value || "Any")));
    select.value = chosen;
  });
  return select;
}

/** Guidance that strengthens nothing; the place below it leaves the choice to the server. */
const FREE = 1;

function moreField(app) {
  const set = (name) => (event) => app.store.change("form", { [name]: event.target.value });
  const metre = choice(app, "metre", METRES);
  const chords = h("input", { id: "chords", type: "text", placeholder: "C | Am F | G7", autocomplete: "off", spellcheck: "false", onchange: set("chords") });
  const seed = h("input", { id: "seed", type: "text", inputmode: "numeric", pattern: "[0-9]{0,16}", placeholder: "a new one each time", title: "digits only", onchange: set("seed") });
  const held = h("input", { id: "guidance", type: "range", min: FREE - 0.5, max: 3, step: 0.5, title: "closely takes up to twice the time", oninput: (event) => app.store.change("form", { guidance: event.target.value < FREE ? null : Number(event.target.value) }) });
  const holds = h("output", { for: "guidance" });
  const wild = h("input", { id: "temperature", type: "range", min: 0.7, max: 1.3, step: 0.05, oninput: (event) => app.store.change("form", { temperature: Number(event.target.value) }) });
  const notes = h("input", { id: "notes", type: "text", placeholder: "C4 E4 G4:2 C4+E4 R", autocomplete: "off", spellcheck: "false", onchange: set("notes") });
  const says = h("output", { for: "temperature" });
  const likeliest = button("", () => app.store.change("form", { top_p: DRAWN.top_p }), { class: "chip plain", title: "choose among the likeliest values alone, as that piece did; press to choose as usual" });
  app.store.watch((state) => [state.form], ({ form }) => {
    likeliest.hidden = form.top_p === DRAWN.top_p;
    likeliest.textContent = `Top-p ${form.top_p} ×`;
    chords.value = form.chords;
    seed.value = form.seed;
    wild.value = form.temperature;
    notes.value = form.notes;
    metre.disabled = notes.disabled = form.opening !== null;
    held.value = form.guidance ?? FREE - 0.5;
    holds.textContent = form.guidance === null ? "As needed" : form.guidance <= FREE ? "Freely" : form.guidance <= 2 ? "Closely" : "Strictly";
    held.setAttribute("aria-valuetext", holds.textContent);
    says.textContent = capital(form.temperature < 0.95 ? "plain" : form.temperature > 1.05 ? "wild" : "even");
    wild.setAttribute("aria-valuetext", says.textContent);
  });
  const row = (name, label, ...inputs) => h("div", { class: "field" }, h("label", { for: name }, label), ...inputs);
  return h("details", { class: "more" }, h("summary", {}, "More"),
    row("metre", "Metre", metre), row("temperature", "Daring", wild, says, likeliest),
    row("guidance", "Keep to the style", held, holds),
    row("key", "Key", choice(app, "key", ["", ...KEYS])), row("chords", "Chords", chords),
    row("density", "Density", choice(app, "density", ["", ...DENSITIES])), row("dynamics", "Loudness", choice(app, "dynamics", ["", ...DYNAMICS])),
    row("notes", "Begin with the notes", notes), row("seed", "Seed", seed));
}
