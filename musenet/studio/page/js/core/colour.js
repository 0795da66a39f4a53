/**
 * Colours that are told apart on a dark ground as well.
 * @module
 */

const DARKEST = 0.3;
/** How much farther from grey what is mixed with white becomes again. */
const VIVID = 1.3;

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** How light a colour looks, 0 to 1 (weights of Rec. 709). */
export function lightness(hex) {
  const [red, green, blue] = channels(hex);
  return Math.sqrt((0.2126 * red ** 2 + 0.7152 * green ** 2 + 0.0722 * blue ** 2) / 255 ** 2);
}

/** A colour mixed with white, and no greyer for it, where it would be too dark to see on a dark ground. */
export function onDark(hex) {
  const light = lightness(hex);
  if (light >= 0.48) return hex;
  const share = Math.min(0.6, DARKEST + (0.48 - light));
  const pale = channels(hex).map((value) => value + (255 - value) * share);
  const grey = pale.reduce((sum, value) => sum + value, 0) / 3;
  const mixed = pale.map((value) => Math.round(Math.min(255, Math.max(0, grey + (value - grey) * VIVID))));
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
