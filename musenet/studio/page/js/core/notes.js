/**
 * Editing notes: pure functions from notes to notes.
 * @module
 *
 * @typedef {{instrument: string, pitch: number, velocity: number, onset: number,
 *   duration: number, start: number, stop: number}} Note
 * @typedef {{bars: object[], notes: Note[], tempos: object[], metres: object[], parts: object[],
 *   ticks_per_beat: number, end: number, seconds: number, revision: number}} Score
 */

import { barsUpTo, lastAtMost, secondsAt } from "./time.js";

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** A score with other notes: in order, with their seconds, and its bars and end told anew.
 * @param {Score} score
 * @param {Note[]} notes
 * @returns {Score} */
export function withNotes(score, notes) {
  const at = (tick) => secondsAt(score.tempos, score.ticks_per_beat, tick);
  const timed = notes
    .map((note) => ({ ...note, start: at(note.onset), stop: at(note.onset + note.duration) }))
    .sort((a, b) => a.onset - b.onset || a.pitch - b.pitch);
  const end = timed.reduce((last, note) => Math.max(last, note.onset + note.duration), 0);
  return {
    ...score,
    notes: timed,
    end,
    seconds: at(end),
    bars: barsUpTo(score.metres, score.tempos, score.ticks_per_beat, end),
    parts: partsOf(timed, score.parts),
  };
}

/** The parts that notes make, with what is known of them. */
export function partsOf(notes, known) {
  const parts = new Map();
  for (const { instrument, pitch } of notes) {
    const part = parts.get(instrument) ?? { notes: 0, low: 127, high: 0 };
    parts.set(instrument, {
      notes: part.notes + 1,
      low: Math.min(part.low, pitch),
      high: Math.max(part.high, pitch),
    });
  }
  const old = known.filter((part) => parts.has(part.instrument));
  const names = new Set(old.map((part) => part.instrument));
  const added = [...parts.keys()].filter((name) => !names.has(name));
  return [...old, ...added.map((instrument) => ({ instrument, drums: instrument === "drums" }))].map(
    (part) => ({ ...part, ...parts.get(part.instrument) }),
  );
}

/** Where chosen notes have gone after their score was put in order again. */
export function indicesOf(score, notes) {
  const key = (note) => `${note.instrument}|${note.pitch}|${note.onset}|${note.duration}`;
  const wanted = new Set(notes.map(key));
  return score.notes.flatMap((note, index) => (wanted.has(key(note)) ? [index] : []));
}

/** A tick on the grid. @param {number} grid ticks; 0 leaves it as it is */
export const snapped = (tick, grid) =>
  grid ? Math.round(tick / grid) * grid : Math.round(tick);

const changed = (score, chosen, change) => {
  const set = new Set(chosen);
  const moved = [];
  const notes = score.notes.map((note, index) => {
    if (!set.has(index)) return note;
    const next = change(note);
    moved.push(next);
    return next;
  });
  const next = withNotes(score, notes);
  return { score: next, chosen: indicesOf(next, moved) };
};

/** Notes moved together, as far as all of them can go; drums keep their key in time moves.
 * @param {Score} score
 * @param {number[]} chosen indices of notes
 * @returns {{score: Score, chosen: number[]}} */
export function move(score, chosen, ticks, semitones) {
  const notes = chosen.map((index) => score.notes[index]);
  if (!notes.length) return { score, chosen };
  const first = Math.min(...notes.map((note) => note.onset));
  const low = Math.min(...notes.map((note) => note.pitch));
  const high = Math.max(...notes.map((note) => note.pitch));
  const by = Math.max(-first, Math.round(ticks));
  const up = clamp(semitones, -low, 127 - high);
  return changed(score, chosen, (note) => ({
    ...note,
    onset: note.onset + by,
    pitch: note.pitch + up,
  }));
}

/** Notes made longer or shorter, none shorter than the least. */
export function lengthen(score, chosen, ticks, least) {
  return changed(score, chosen, (note) => ({
    ...note,
    duration: Math.max(Math.min(least, note.duration), Math.round(note.duration + ticks)),
  }));
}

/** Notes played louder or softer. */
export const accent = (score, chosen, by) =>
  changed(score, chosen, (note) => ({ ...note, velocity: clamp(note.velocity + by, 1, 127) }));

/** A score without some notes. */
export function remove(score, chosen) {
  const set = new Set(chosen);
  return { score: withNotes(score, score.notes.filter((_, index) => !set.has(index))), chosen: [] };
}

/** A score with more notes, which are then the chosen ones. */
export function add(score, notes) {
  const next = withNotes(score, [...score.notes, ...notes]);
  return { score: next, chosen: indicesOf(next, notes) };
}

/** Indices of notes that begin in [from, to) ticks. */
export const within = (score, from, to) =>
  score.notes.flatMap((note, index) => (note.onset >= from && note.onset < to ? [index] : []));

/** Notes taken out for pasting: onsets count from the beginning of the cut. */
export const copied = (score, chosen, from) =>
  chosen.map((index) => ({ ...score.notes[index], onset: score.notes[index].onset - from }));

/** Copied notes put in at a tick; where the ticks of a beat differ they are scaled. */
export function paste(score, clipboard, tick) {
  const scale = score.ticks_per_beat / clipboard.ticks_per_beat;
  const notes = clipboard.notes.map((note) => ({
    ...note,
    onset: tick + Math.round(note.onset * scale),
    duration: Math.max(1, Math.round(note.duration * scale)),
  }));
  return add(score, notes);
}

/** What the server is sent: notes without their seconds. */
export const plain = (notes) =>
  notes.map(({ instrument, pitch, velocity, onset, duration }) => ({
    instrument,
    pitch,
    velocity,
    onset,
    duration,
  }));

/** The next note behind or before one, in order of onset. */
export const neighbour = (score, chosen, step) =>
  score.notes.length ? [clamp((chosen[0] ?? -step) + step, 0, score.notes.length - 1)] : [];

/** The first note at or behind a second. */
export const noteFrom = (score, seconds) =>
  Math.min(score.notes.length - 1, lastAtMost(score.notes, seconds - 1e-6, (note) => note.start) + 1);
