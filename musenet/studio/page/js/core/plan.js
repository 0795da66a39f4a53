/**
 * Sections: what changes from a time on; what one leaves open goes on as before.
 * @module
 *
 * @typedef {{at: number, styles: Record<string, number>, instruments: string[], density: string,
 *   dynamics: string, key: string, tempo: number | null, chords: string | null}} Section
 */

import { barAt } from "./time.js";
import { capital, clock } from "./words.js";

/** Words of density and what they are in notes a beat. */
export const DENSITIES = { sparse: 0.75, light: 1.5, medium: 3, dense: 6, full: 12 };

/** @type {Section} */
const OPEN = { at: 0, styles: {}, instruments: [], density: "", dynamics: "", key: "", tempo: null, chords: null };
const STEP = 5;

/** The word for a density, or its number as text. */
export const densityWord = (value) =>
  Object.keys(DENSITIES).find((name) => DENSITIES[name] === value) ?? String(value ?? "");

/** Seconds of a time such as 1:30 or 90; null where it is none. */
export function secondsOf(text) {
  const match = /^\s*(?:(\d+):)?(\d+(?:\.\d+)?)\s*$/.exec(text);
  return match ? 60 * Number(match[1] ?? 0) + Number(match[2]) : null;
}

const inOrder = (sections) => [...sections].sort((a, b) => a.at - b.at);

/** Sections with another in the middle of what the last one has. @param {Section[]} sections */
export function added(sections, minutes) {
  const last = sections.at(-1)?.at ?? 0;
  const at = Math.max(1, Math.round((last + 60 * minutes) / 2 / STEP) * STEP);
  return inOrder([...sections, { ...OPEN, at }]);
}

/** Sections of which one is changed. */
export const changed = (sections, index, change) =>
  inOrder(sections.map((section, place) => (place === index ? { ...section, ...change } : section)));

/** Sections without one. */
export const removed = (sections, index) => sections.filter((_, place) => place !== index);

/** A section as the request has it, without what it leaves open. @param {Section} section */
export function wish({ at, ...section }) {
  const told = Object.entries(section).filter(([, value]) =>
    value !== null && value !== "" && (typeof value !== "object" || Object.keys(value).length));
  return { at, ...Object.fromEntries(told) };
}

/** The sections of a recipe, as the form has them. @returns {Section[]} */
export const ofRecipe = (prompt) =>
  (prompt.sections ?? []).map((section) => ({
    at: section.at,
    styles: Object.fromEntries(section.styles ?? []),
    instruments: section.instruments ?? [],
    density: densityWord(section.density),
    dynamics: section.dynamics ?? "",
    key: section.key ?? "",
    tempo: section.tempo,
    chords: section.chords,
  }));

const hyphened = (name) => name.replaceAll(" ", "-");

/** A section as the command line has it. @param {Section} section */
export function option(section) {
  const styles = Object.entries(section.styles).map(([name, weight]) => `${hyphened(name)}:${weight}`);
  const words = [
    String(section.at),
    styles.length && `style=${styles.join(",")}`,
    section.instruments.length && `instrument=${section.instruments.map(hyphened).join(",")}`,
    section.tempo && `tempo=${section.tempo}`,
    section.density && `density=${section.density}`,
    section.dynamics && `dynamics=${section.dynamics}`,
    section.key && `key=${hyphened(section.key)}`,
    section.chords && `chords=${section.chords}`,
  ];
  return words.filter(Boolean).join(" ");
}

/** What a section asks for, in a few words. @param {Section} section */
export const words = (section) =>
  [Object.keys(section.styles).map(capital).join(" and "), section.instruments.join(", "), section.key, section.density]
    .filter(Boolean)
    .join(" · ") || "as before";

/** Sections of which every field is of its kind; others are left out. */
export const sound = (told) =>
  inOrder(told.filter((one) => Number.isFinite(one?.at) && one.at >= 0).map((one) =>
    Object.fromEntries(Object.entries(OPEN).map(([key, open]) =>
      [key, alike(one[key], open) ? one[key] : open]))));

const alike = (value, open) =>
  open === null ? value === null || ["number", "string"].includes(typeof value)
    : typeof value === typeof open && value !== null && Array.isArray(value) === Array.isArray(open);

/** Where the sections of a recipe begin in the piece. Bars count from 1.
 * @returns {{bar: number, name: string}[]} */
export const marks = (node, score) =>
  ofRecipe(node.recipe?.prompt ?? {})
    .filter(({ at }) => at > 0 && at < score.seconds && node.edited !== "trim")
    .map((section) => ({ bar: barAt(score.bars, section.at), name: `${clock(section.at)} ${words(section)}` }));
