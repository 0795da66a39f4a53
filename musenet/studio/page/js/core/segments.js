/**
 * Which segments of the stems to fetch, and when they sound.
 * @module
 *
 * @typedef {{segments: number, segment_seconds: number, overlap_seconds: number, seconds: number,
 *   stems: {instrument: string, url: string, gain: number, silent: number[]}[]}} Stems
 */

/** The segment that sounds at a second. @param {Stems} stems */
export const segmentAt = (stems, seconds) =>
  Math.min(stems.segments - 1, Math.max(0, Math.floor(seconds / stems.segment_seconds)));

/** What is fetched, soonest first: every stem's segments that sound within a time from a second.
 * @param {Stems} stems
 * @returns {{segment: number, stem: number}[]} */
export function wanted(stems, seconds, ahead) {
  const result = [];
  const last = segmentAt(stems, seconds + ahead);
  for (let segment = segmentAt(stems, seconds); segment <= last; segment += 1) {
    stems.stems.forEach(({ silent }, stem) => {
      if (!silent.includes(segment)) result.push({ segment, stem });
    });
  }
  return result;
}

/** What of the segments that are there (by segment/stem) is given up first: the farthest, and none
 * that is fetched. @param {Stems} stems */
export function farthest(stems, keys, seconds, ahead) {
  const needed = new Set(wanted(stems, seconds, ahead).map(keyOf));
  const distance = (key) => Math.abs(Number(key.split("/")[0]) - segmentAt(stems, seconds));
  return keys.filter((key) => !needed.has(key)).sort((a, b) => distance(b) - distance(a))[0];
}

/** What a segment of a stem is kept under. */
export const keyOf = ({ segment, stem }) => `${segment}/${stem}`;

/** The address of a segment. */
export const address = (stem, segment) => stem.url.replace("{segment}", String(segment));

/** When a segment sounds if a second of the piece sounds now, and from where in it. */
export function placed(stems, segment, position) {
  const begin = segment * stems.segment_seconds;
  return begin >= position
    ? { delay: begin - position, offset: 0 }
    : { delay: 0, offset: position - begin };
}

/** Corners of a segment's fade, in seconds from its own beginning, each with its gain. */
export function fades(stems, segment) {
  const { segment_seconds: length, overlap_seconds: overlap, segments } = stems;
  const rise = segment > 0 ? [[0, 0], [overlap, 1]] : [[0, 1]];
  const fall = segment < segments - 1 ? [[length, 1], [length + overlap, 0]] : [];
  return [...rise, ...fall];
}

/** The gain that corners give at a time. */
export function gainAt(corners, time) {
  const next = corners.findIndex(([at]) => at > time);
  if (next < 0) return corners.at(-1)[1];
  if (next === 0) return corners[0][1];
  const [[before, low], [after, high]] = [corners[next - 1], corners[next]];
  return low + ((high - low) * (time - before)) / (after - before);
}
