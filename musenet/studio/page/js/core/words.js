/**
 * Numbers and names in the words of musicians.
 * @module
 */

const STEPS = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const BLACK = new Set([1, 3, 6, 8, 10]);

/** The name of a pitch, such as C4 for 60. */
export const pitchName = (pitch) => `${STEPS[pitch % 12]}${Math.floor(pitch / 12) - 1}`;

/** Whether a pitch is a black key. */
export const isBlack = (pitch) => BLACK.has(pitch % 12);

/** Minutes and seconds, such as 1:05. */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A length in words, such as "2 min 30 s". */
export function minutesWords(minutes) {
  const seconds = Math.round(minutes * 60);
  const [whole, rest] = [Math.floor(seconds / 60), seconds % 60];
  return [whole && `${whole} min`, rest && `${rest} s`].filter(Boolean).join(" ") || "0 s";
}

/** A count with its noun. */
export const count = (number, noun) =>
  `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

/** A list such as "piano, cello and flute". */
export function listed(names) {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** The beginning of a text, no character of which is half. */
export const cut = (text, most) => [...text.toWellFormed()].slice(0, most).join("");

/** First letter large. */
export const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** How long ago something was. */
export function ago(then, now) {
  const minutes = Math.round((now - then) / 60);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${count(minutes, "minute")} ago`;
  if (minutes < 60 * 24) return `${count(Math.round(minutes / 60), "hour")} ago`;
  return `${count(Math.round(minutes / 1440), "day")} ago`;
}

/** A note as a screen reader tells it. */
export function noteWords(note, place, ticksPerBeat, drumName) {
  const what = note.instrument === "drums" ? drumName(note.pitch) : pitchName(note.pitch);
  const beats = Math.round((note.duration / ticksPerBeat) * 100) / 100;
  const length = note.instrument === "drums" ? "" : `, ${count(beats, "beat")} long`;
  return `${what}, ${note.instrument}, bar ${place.bar} beat ${place.beat}${length}, velocity ${note.velocity}`;
}
