/**
 * What is asked for: the form's state, the request, the command and the link that say it.
 * @module
 *
 * @typedef {{styles: Record<string, number>, instruments: string[], minutes: number, mood: string,
 *   metre: string, candidates: number, seed: string, temperature: number, top_p: number, notes: string,
 *   key: string, chords: string, density: string, dynamics: string,
 *   guidance: number | null,
 *   sections: import("./plan.js").Section[],
 *   opening: {kind: "theme" | "node", id: string, title: string, bar?: number} | null}} Form
 */

import * as plan from "./plan.js";
import { capital, listed } from "./words.js";

/** How the server draws where nothing else is asked for; null is for what the rest needs. */
export const DRAWN = { temperature: 1, top_p: 0.98, guidance: null };

/** Moods of tempo: what they are called and beats a minute. */
export const MOODS = [
  { name: "any", says: "Any", bpm: null },
  { name: "calm", says: "Calm", bpm: 60 },
  { name: "walking", says: "Walking", bpm: 88 },
  { name: "lively", says: "Lively", bpm: 116 },
  { name: "driving", says: "Driving", bpm: 140 },
  { name: "frantic", says: "Frantic", bpm: 176 },
];

/** Beats a minute of a mood, which may be a number of them as text; null for any. */
const bpmOf = (mood) => {
  const known = MOODS.find(({ name }) => name === mood);
  return known ? known.bpm : Number(mood);
};

/** The mood of a tempo: its name, else its beats a minute as text. */
const moodOf = (tempo) => MOODS.find(({ bpm }) => bpm === (tempo ?? null))?.name ?? String(tempo);

/** Share of a piece that an opening may be: the server refuses more. */
const LONGEST_OPENING = 0.9;

/** Minutes to offer for going on behind so many seconds: a good deal more. */
export function onward(kept) {
  const minutes = kept / 60;
  return Math.ceil(4 * Math.max(minutes + 0.5, minutes / LONGEST_OPENING + 0.1)) / 4;
}

export const METRES = ["", "4/4", "3/4", "2/4", "6/8", "9/8", "12/8", "2/2", "5/4"];

/** @type {Form} */
export const BLANK = {
  styles: {},
  instruments: [],
  minutes: 1,
  mood: "any",
  metre: "",
  candidates: 4,
  seed: "",
  temperature: DRAWN.temperature,
  top_p: DRAWN.top_p,
  guidance: DRAWN.guidance,
  notes: "",
  key: "",
  chords: "",
  density: "",
  dynamics: "",
  sections: [],
  opening: null,
};

/** Keys by name, major then minor. */
export const KEYS = ["major", "minor"].flatMap((mode) =>
  ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"].map((tonic) => `${tonic} ${mode}`));

export const DENSITIES = Object.keys(plan.DENSITIES);
export const DYNAMICS = ["ppp", "pp", "p", "mp", "mf", "f", "ff", "fff"];

/** Instruments that go together. */
export const ENSEMBLES = [
  { name: "Solo piano", instruments: ["piano"] },
  { name: "String quartet", instruments: ["violin", "viola", "cello"] },
  { name: "Piano trio", instruments: ["piano", "violin", "cello"] },
  { name: "Jazz combo", instruments: ["piano", "acoustic bass", "tenor sax", "trumpet", "drums"] },
  { name: "Rock band", instruments: ["electric guitar", "distorted guitar", "electric bass", "organ", "drums"] },
  {
    name: "Chamber winds",
    instruments: ["flute", "oboe", "clarinet", "bassoon", "horn"],
  },
  {
    name: "Orchestra",
    instruments: ["strings", "contrabass", "flute", "oboe", "clarinet", "bassoon", "horn", "trumpet", "trombone", "timpani"],
  },
];

const FAMILIES = [
  [24, "Keys and mallets"],
  [32, "Guitars"],
  [40, "Basses"],
  [48, "Strings and harp"],
  [56, "Ensembles and voices"],
  [64, "Brass"],
  [72, "Reeds"],
  [80, "Pipes"],
  [104, "Synths"],
  [112, "World"],
  [128, "Percussion and effects"],
];

/** The family that an instrument's chip stands in, by its first General MIDI program. */
export function familyOf(instrument) {
  const program = instrument.programs[0] ?? 127;
  return FAMILIES.find(([end]) => program < end)[1];
}

/** Instruments by family, in the order of the families. */
export function byFamily(instruments) {
  return FAMILIES.map(([, name]) => ({
    name,
    instruments: instruments.filter((instrument) => familyOf(instrument) === name),
  })).filter((family) => family.instruments.length);
}

const folded = (name) => name.toLowerCase().replaceAll(/[\s_-]+/g, " ");

/** Styles that a search finds: whole names first, then beginnings, then parts. */
export function found(styles, text, most = 12) {
  const sought = folded(text.trim());
  const worth = (style) => {
    const names = [style.name, ...style.aliases].map(folded);
    if (names.includes(sought)) return 0;
    if (names[0].startsWith(sought)) return 1;
    if (names.some((name) => name.startsWith(sought))) return 2;
    return names.some((name) => name.includes(sought)) ? 3 : 4;
  };
  return styles
    .map((style) => ({ style, worth: worth(style) }))
    .filter((row) => row.worth < 4)
    .sort((a, b) => a.worth - b.worth || (b.style.works ?? 0) - (a.style.works ?? 0))
    .slice(0, most)
    .map((row) => row.style);
}

/** Whether a style is the user's own. */
export const isOwn = (style) => style.kind === "own";

/** The style that goes by a name; undefined for none. */
export const styleNamed = (styles, name) =>
  styles.find((style) => [style.name, ...style.aliases].some((other) => folded(other) === folded(name)));

/** What is told of a style in a list. */
export function styleWords(style) {
  const kind = isOwn(style) ? "your own" : style.kind;
  if (style.fault) return `${kind} · ${style.fault}`;
  return style.works ? `${kind} · ${style.works.toLocaleString("en")} pieces` : kind;
}

/** Styles to offer: one's own, then those with most works. */
export const suggested = (styles, chosen, most) =>
  styles
    .filter((style) => !(style.name in chosen) && !style.fault)
    .sort((a, b) => isOwn(b) - isOwn(a) || (b.works ?? 0) - (a.works ?? 0))
    .slice(0, most);

/** Styles of one's own that a piece was made with and that are not at hand as they were.
 * @returns {{name: string, gone: boolean}[]} */
export const missing = (recipe, styles) =>
  Object.entries(recipe.own_styles ?? {})
    .map(([name, own]) => ({ name, own, here: styles.find((style) => isOwn(style) && style.name === name) }))
    .filter(({ own, here }) => here?.fingerprint !== own)
    .map(({ name, here }) => ({ name, gone: !here }));

/** Shares of a blend in per cent, which add up to 100 (largest remainders). */
export function shares(styles) {
  const names = Object.keys(styles);
  const total = names.reduce((sum, name) => sum + styles[name], 0) || 1;
  const exact = names.map((name) => (100 * styles[name]) / total);
  let left = Math.min(names.length, 100 - exact.reduce((sum, share) => sum + Math.floor(share), 0));
  const order = names.map((_, at) => at).sort((a, b) => (exact[b] % 1) - (exact[a] % 1));
  const raised = new Set(order.filter(() => left-- > 0));
  return Object.fromEntries(names.map((name, at) => [name, Math.floor(exact[at]) + (raised.has(at) ? 1 : 0)]));
}

/** The body of the request to compose. @param {Form} form */
export function request(form, project) {
  const goesOn = form.opening !== null;
  const bpm = bpmOf(form.mood);
  const body = {
    styles: Object.fromEntries(Object.entries(form.styles).filter(([, weight]) => weight > 0)),
    instruments: form.instruments,
    minutes: form.minutes,
    candidates: form.candidates,
    temperature: form.temperature,
  };
  if (project) body.project = project;
  if (form.seed.trim()) body.seed = seedOf(form.seed);
  if (form.top_p !== DRAWN.top_p) body.top_p = form.top_p;
  if (form.guidance !== DRAWN.guidance) body.guidance = form.guidance;
  if (form.sections.length) body.sections = form.sections.map(plan.wish);
  for (const name of ["key", "chords", "density", "dynamics"]) {
    if (form[name].trim()) body[name] = form[name].trim();
  }
  if (!goesOn && bpm) body.tempo = bpm;
  if (!goesOn && form.metre) body.metre = form.metre;
  if (!goesOn && form.notes.trim()) body.notes = form.notes.trim();
  if (form.opening?.kind === "theme") body.opening = form.opening.id;
  if (form.opening?.kind === "node") {
    body.parent = form.opening.id;
    if (form.opening.bar) body.keep_bars = form.opening.bar;
  }
  return body;
}

function seedOf(text) {
  const seed = Number(text);
  if (!/^\s*\d+\s*$/.test(text) || !Number.isSafeInteger(seed)) throw new Error(`The seed “${text}” cannot be had: give up to 15 digits, or none for a new seed each time.`);
  return seed;
}

/** The body of the request to compose bars or a part of a piece anew.
 * @param {Form} form @param {{instruments?: string[], bars?: [number, number]}} what */
export function arrangement(form, what) {
  const { styles, density, dynamics, candidates, temperature, top_p, guidance } = request({ ...form, opening: null, seed: "" });
  return { styles, candidates, temperature, ...(top_p && { top_p }), ...(guidance && { guidance }), ...(density && { density }), ...(dynamics && { dynamics }), ...what };
}

/** Whether a node was composed into a given piece, for which no form and no link can ask. */
export const isArranged = (recipe) => "bars" in recipe.prompt;

/** The form that asks for what a node was composed from. @returns {Form} */
export function formOf(recipe) {
  const { prompt, sampling, seed, candidates } = recipe;
  return {
    ...BLANK,
    styles: Object.fromEntries(prompt.styles),
    instruments: prompt.instruments,
    minutes: prompt.minutes,
    mood: moodOf(prompt.tempo),
    metre: prompt.metre ?? "",
    notes: prompt.notes ?? "",
    key: prompt.key ?? "",
    chords: prompt.chords ?? "",
    density: plan.densityWord(prompt.density),
    dynamics: prompt.dynamics ?? "",
    sections: plan.ofRecipe(prompt),
    candidates,
    seed: String(seed),
    temperature: sampling.temperature,
    top_p: sampling.top_p ?? DRAWN.top_p,
    guidance: sampling.guidance ?? DRAWN.guidance,
  };
}

const quoted = (text) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command line that composes a node's candidates again.
 * @param {string | null} given name of the file that it goes on with, or is composed into */
export function command(recipe, given) {
  const { prompt, sampling, seed, candidates, at } = recipe;
  const arranged = isArranged(recipe);
  const words = arranged ? ["musenet", "arrange", given] : ["musenet", "compose"];
  for (const [name, weight] of prompt.styles) words.push("--style", `${name}:${rounded(weight)}`);
  for (const name of prompt.instruments) words.push("--instrument", name);
  if (prompt.bars) words.push("--bars", prompt.bars.join("-"));
  if (prompt.keep) words.push("--keep");
  if (!arranged) words.push("--minutes", rounded(prompt.minutes));
  if (prompt.tempo) words.push("--tempo", rounded(prompt.tempo));
  if (prompt.metre) words.push("--metre", prompt.metre);
  for (const name of ["key", "chords", "density", "dynamics", "notes"]) {
    if (prompt[name]) words.push(`--${name}`, String(prompt[name]));
  }
  for (const section of plan.ofRecipe(prompt)) words.push("--section", plan.option(section));
  if (given && !arranged) words.push("--from", given);
  if (given && at) words.push("--at", String(at));
  for (const [name, usual] of Object.entries(DRAWN)) {
    const value = sampling[name] ?? usual;
    if (value !== usual) words.push(`--${name.replace("_", "-")}`, rounded(value));
  }
  words.push("--candidates", String(candidates), "--seed", String(seed));
  return words.map(quoted).join(" ");
}

const rounded = (number) => String(Math.round(number * 1000) / 1000);

/** A form as text for the address bar. */
export function encoded(form) {
  const told = Object.fromEntries(
    Object.entries(form).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(BLANK[key])),
  );
  const bytes = new TextEncoder().encode(JSON.stringify(told));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The form that a text of the address bar tells; null if it tells none. */
export function decoded(text) {
  try {
    const raw = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const told = new TextDecoder().decode(Uint8Array.from(raw, (c) => c.charCodeAt(0)));
    return sound(JSON.parse(told, (_, value) => wellFormed(value)));
  } catch {
    return null;
  }
}

/** Text without halves of characters, which the server cannot keep; likewise names of fields. */
function wellFormed(value) {
  if (typeof value === "string") return value.toWellFormed();
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name.toWellFormed(), one]));
}

/** A form of which every field is of its kind; others are as in a blank one. */
export function sound(told) {
  const fields = Object.entries(BLANK).map(([key, blank]) => {
    const value = told?.[key];
    const alike = blank === null ? value === null || typeof value?.id === "string"
      : typeof value === typeof blank && Array.isArray(value) === Array.isArray(blank) && value !== null;
    return [key, alike ? value : blank];
  });
  const form = Object.fromEntries(fields);
  const mood = MOODS.some(({ name }) => name === form.mood) || /^\d+(\.\d+)?$/.test(form.mood) ? form.mood : "any";
  const metre = form.metre === "" || /^\d+\/\d+$/.test(form.metre) ? form.metre : "";
  const guidance = Number.isFinite(told?.guidance) ? told.guidance : BLANK.guidance;
  return { ...form, mood, metre, guidance, sections: plan.sound(form.sections) };
}

/** What will be composed, in a sentence. */
export function sentence(form) {
  const styles = Object.keys(form.styles).map(capital);
  const style = styles.length ? listed(styles) : "any style";
  const what = form.opening ? `going on from ${form.opening.title}` : "";
  return [style, form.instruments.length ? form.instruments.join(", ") : "any instruments", what]
    .filter(Boolean)
    .join(" · ");
}
