/**
 * Geometry of the piano roll: rows of pitches, a lane of drums, what lies under a point.
 * @module
 *
 * @typedef {{top: number, bottom: number, row: number, low: number, high: number,
 *   drums: number[], drumTop: number, drumRow: number, left: number, right: number}} Layout
 */

import { lastAtMost, toSeconds, toX } from "./time.js";

export const RULER = 34;
export const GUTTER = 62;
const MARGIN = 2;
const LEAST_ROWS = 24;
const GRIP = 6;

/** The pitches that the parts of scores use, with room around them, how many parts those are, and the
 * drum keys. */
export function rangeOf(score) {
  const parts = score.parts.filter((part) => !part.drums && part.notes);
  let low = Math.min(...parts.map((part) => part.low), 127) - MARGIN;
  let high = Math.max(...parts.map((part) => part.high), 0) + MARGIN;
  if (!parts.length) [low, high] = [48, 72];
  const lack = Math.max(0, LEAST_ROWS - (high - low + 1));
  low = Math.max(0, low - Math.ceil(lack / 2));
  high = Math.min(127, Math.max(high, low + LEAST_ROWS - 1));
  const keys = new Set();
  if (score.parts.some((part) => part.drums)) {
    for (const note of score.notes) if (note.instrument === "drums") keys.add(note.pitch);
  }
  return { low, high, parts: parts.length, drums: [...keys].sort((a, b) => b - a) };
}

/** Where everything stands on a canvas of a size. @returns {Layout} */
export function layoutOf(range, width, height, zoom = { rows: 1, shift: 0 }) {
  const keys = range.drums.length;
  const alone = keys > 0 && !range.parts;
  const lane = (height - RULER) * (alone ? 1 : 0.32);
  const drumRow = alone ? lane / keys : keys ? Math.max(5, Math.min(13, lane / keys)) : 0;
  const drumTop = height - drumRow * keys;
  const whole = range.high - range.low + 1;
  const rows = Math.max(12, whole / zoom.rows);
  const high = range.high - Math.min(whole - rows, Math.max(0, zoom.shift));
  const bottom = alone ? RULER : drumTop - (drumRow ? 6 : 0);
  return {
    top: RULER, bottom, row: alone ? drumRow : (bottom - RULER) / rows, low: high - rows + 1, high,
    drums: range.drums, drumTop, drumRow, left: GUTTER, right: width,
  };
}

/** The upper edge and height of a note's row; null where it is not seen. @param {Layout} layout */
export function rowOf(layout, note) {
  if (note.instrument === "drums") {
    const index = layout.drums.indexOf(note.pitch);
    return index < 0 ? null : { y: layout.drumTop + index * layout.drumRow, h: layout.drumRow };
  }
  const y = layout.top + (layout.high - note.pitch) * layout.row;
  return y + layout.row <= layout.top || y >= layout.bottom ? null : { y, h: layout.row };
}

/** What a height means: a pitch, or a drum key. @param {Layout} layout */
export function pitchAt(layout, y) {
  if (layout.drumRow && y >= layout.drumTop) {
    const index = Math.floor((y - layout.drumTop) / layout.drumRow);
    return { drums: true, pitch: layout.drums[Math.min(layout.drums.length - 1, index)] };
  }
  return { drums: false, pitch: Math.round(layout.high - Math.floor((y - layout.top) / layout.row)) };
}

/** The rectangle of a note; null where its row is not seen. */
export function boxOf(layout, span, note) {
  const row = rowOf(layout, note);
  if (!row) return null;
  const x = layout.left + toX(span, note.start);
  const least = note.instrument === "drums" ? Math.min(6, row.h) : 2;
  return { x, y: row.y, w: Math.max(least, (note.stop - note.start) * span.scale), h: row.h };
}

/** The first of the notes that may be seen from a second on, given the longest one. */
export const firstSeen = (notes, seconds, longest) =>
  lastAtMost(notes, seconds - longest, (note) => note.start) + 1;

/** The length of the longest note in seconds. */
export const longestOf = (notes) =>
  notes.reduce((most, note) => Math.max(most, note.stop - note.start), 0);

/** The note under a point, the one on top; `edge` where the point is at its end.
 * @param {(note: object) => boolean} audible
 * @returns {{index: number, edge: boolean} | null} */
export function hit(score, layout, span, x, y, longest, audible = () => true) {
  const second = toSeconds(span, x - layout.left);
  const slack = GRIP / span.scale;
  const from = firstSeen(score.notes, second - slack, longest + slack);
  let best = null;
  for (let index = from; index < score.notes.length; index += 1) {
    const note = score.notes[index];
    if (note.start > second + slack) break;
    const box = audible(note) && boxOf(layout, span, note);
    const inside = box && y >= box.y && y < box.y + box.h && x >= box.x - 1 && x <= box.x + box.w + 2;
    if (inside) best = { index, edge: box.w > 2 * GRIP && x > box.x + box.w - GRIP };
  }
  return best;
}

/** Notes whose boxes touch a rectangle. */
export function inside(score, layout, span, rectangle, audible = () => true) {
  const [left, right] = [Math.min(rectangle.x0, rectangle.x1), Math.max(rectangle.x0, rectangle.x1)];
  const [top, bottom] = [Math.min(rectangle.y0, rectangle.y1), Math.max(rectangle.y0, rectangle.y1)];
  return score.notes.flatMap((note, index) => {
    const box = audible(note) && boxOf(layout, span, note);
    const touched = box && box.x < right && box.x + box.w > left && box.y < bottom && box.y + box.h > top;
    return touched ? [index] : [];
  });
}

/** Every how many bars a number stands, so that numbers do not touch. */
export function barStep(bars, span, least = 44) {
  if (bars.length < 2) return 1;
  const width = ((bars.at(-1).start - bars[0].start) / (bars.length - 1)) * span.scale;
  return [1, 2, 4, 8, 16, 32, 64].find((step) => step * width >= least) ?? 128;
}
