/**
 * Time in a piece and on the screen: ticks, seconds, bars and pixels.
 * @module
 *
 * @typedef {{tick: number, bpm: number, start: number}} Tempo
 * @typedef {{tick: number, start: number}} Bar
 * @typedef {{start: number, scale: number}} Span what is seen: its first second, pixels a second
 */

/** The last index whose value is at most the one sought, or -1. */
export function lastAtMost(rows, value, of) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (of(rows[middle]) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Where a tick falls in seconds. @param {Tempo[]} tempos */
export function secondsAt(tempos, ticksPerBeat, tick) {
  const tempo = tempos[Math.max(0, lastAtMost(tempos, tick, (row) => row.tick))];
  return tempo.start + ((tick - tempo.tick) * 60) / (tempo.bpm * ticksPerBeat);
}

/** The tick (with a fraction) that sounds at a second. @param {Tempo[]} tempos */
export function tickAt(tempos, ticksPerBeat, seconds) {
  const tempo = tempos[Math.max(0, lastAtMost(tempos, seconds, (row) => row.start))];
  return tempo.tick + ((seconds - tempo.start) * tempo.bpm * ticksPerBeat) / 60;
}

/** The bar, from 1, that sounds at a second; 1 where there is none. @param {Bar[]} bars */
export function barAt(bars, seconds) {
  return Math.max(0, lastAtMost(bars, seconds + 1e-6, (bar) => bar.start)) + 1;
}

/** Where a bar (from 1) begins in seconds; the end behind the last. */
export function barStart(score, bar) {
  return bar > score.bars.length ? score.seconds : score.bars[Math.max(0, bar - 1)].start;
}

/** Where a bar (from 1) begins in ticks; the end behind the last. */
export function barTick(score, bar) {
  return bar > score.bars.length ? score.end : score.bars[Math.max(0, bar - 1)].tick;
}

/** Bar and beat of a tick as people count them, both from 1. */
export function placeOf(score, tick) {
  const index = Math.max(0, lastAtMost(score.bars, tick, (row) => row.tick));
  const bar = score.bars[index] ?? { tick: 0 };
  const metre = score.metres[Math.max(0, lastAtMost(score.metres, tick, (row) => row.tick))];
  const beat = (score.ticks_per_beat * 4) / (metre?.denominator ?? 4);
  return { bar: index + 1, beat: Math.floor((tick - bar.tick) / beat) + 1 };
}

/** Bars of a piece that is still composed: those up to a tick. */
export function barsUpTo(metres, tempos, ticksPerBeat, end) {
  const bars = [];
  let metre = 0;
  let tick = 0;
  while (tick < end) {
    while (metre + 1 < metres.length && metres[metre + 1].tick <= tick) metre += 1;
    bars.push({ tick, start: secondsAt(tempos, ticksPerBeat, tick) });
    const { numerator, denominator } = metres[metre];
    const next = tick + Math.max(1, Math.round((numerator * ticksPerBeat * 4) / denominator));
    tick = Math.min(next, metres[metre + 1]?.tick ?? Infinity);
  }
  return bars;
}

/** @param {Span} span */
export const toX = (span, seconds) => (seconds - span.start) * span.scale;

/** @param {Span} span */
export const toSeconds = (span, x) => span.start + x / span.scale;

/** The whole piece in a width, with a little room behind it. @returns {Span} */
export const fitted = (seconds, width) => ({ start: 0, scale: width / Math.max(1, seconds * 1.02) });

/** What is seen kept within the piece and between useful scales. @returns {Span} */
export function bounded(span, seconds, width) {
  const least = Math.min(fitted(seconds, width).scale, 400);
  const scale = Math.min(800, Math.max(least, span.scale));
  const last = Math.max(0, seconds * 1.02 - width / scale);
  return { scale, start: Math.min(last, Math.max(0, span.start)) };
}

/** Nearer or farther, with the second under a pixel kept there. @returns {Span} */
export function zoomed(span, factor, x, seconds, width) {
  const scale = bounded({ start: 0, scale: span.scale * factor }, seconds, width).scale;
  return bounded({ scale, start: toSeconds(span, x) - x / scale }, seconds, width);
}

/** Moved by pixels. @returns {Span} */
export const panned = (span, pixels, seconds, width) =>
  bounded({ ...span, start: span.start + pixels / span.scale }, seconds, width);

/** Moved so that the cursor stands at a third of the width once it has come so far. */
export function following(span, cursor, seconds, width) {
  return bounded({ ...span, start: cursor - width / (3 * span.scale) }, seconds, width);
}

/** Moved only if a second is not seen. @returns {Span} */
export function showing(span, second, seconds, width) {
  const x = toX(span, second);
  return x >= 0 && x <= width ? span : following(span, second, seconds, width);
}
