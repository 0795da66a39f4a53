/**
 * What somebody plays on a keyboard, as notes.
 * @module
 *
 * @typedef {{pitch: number, velocity: number, start: number, stop: number | null}} Key
 */

const TICKS_PER_BEAT = 480;
const BPM = 120;

/** Keys as a score of a new node: the first at the beginning, exact in time.
 * @param {Key[]} keys
 * @param {number} now seconds; keys that are still held end then */
export function scoreOf(keys, instrument, now) {
  const first = Math.min(...keys.map((key) => key.start));
  const ticks = (seconds) => Math.round((seconds * BPM * TICKS_PER_BEAT) / 60);
  const notes = keys.map(({ pitch, velocity, start, stop }) => ({
    instrument,
    pitch,
    velocity,
    onset: ticks(start - first),
    duration: Math.max(1, ticks((stop ?? now) - start)),
  }));
  notes.sort((a, b) => a.onset - b.onset || a.pitch - b.pitch);
  return { ticks_per_beat: TICKS_PER_BEAT, notes, tempos: [{ tick: 0, bpm: BPM }] };
}

/** Keys after one was pressed. @param {Key[]} keys */
export const pressed = (keys, pitch, velocity, time) => [
  ...released(keys, pitch, time),
  { pitch, velocity, start: time, stop: null },
];

/** Keys after one was let go. @param {Key[]} keys */
export const released = (keys, pitch, time) =>
  keys.map((key) => (key.pitch === pitch && key.stop === null ? { ...key, stop: time } : key));

const OFF = 0x80;
const ON = 0x90;
const CONTROL = 0xb0;
const PEDAL = 64;

/** A MIDI message of any channel as what is done: a key pressed or let go, or the sustain pedal.
 * @returns {{kind: "press" | "release" | "pedal", values: any[]} | null} null for others */
export function messageOf([status, first, second]) {
  const kind = status & 0xf0;
  if (kind === ON && second > 0) return { kind: "press", values: [first, second] };
  if (kind === ON || kind === OFF) return { kind: "release", values: [first] };
  if (kind === CONTROL && first === PEDAL) return { kind: "pedal", values: [second >= 64] };
  return null;
}

/** Letters of a computer keyboard as steps above a C, as in most music programs. */
export const LETTERS = Object.fromEntries(
  [..."awsedftgyhujkolp;"].map((letter, step) => [letter, step]),
);
