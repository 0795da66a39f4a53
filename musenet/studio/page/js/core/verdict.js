/**
 * Why a candidate has its rank, in words.
 * @module
 *
 * @typedef {{passed: boolean | null, says: string}} Reason passed is null where nothing is wrong
 */

const copyWords = ({ notes, piece }) => `${notes} notes in a row are those of ${piece ?? "a piece of the training music"}`;

/** The reasons of a node's rank, the worst first; none where nothing was judged.
 * @returns {Reason[]} */
export function reasonsOf({ verdict }) {
  if (!verdict) return [];
  const { faults, critic, strangeness, likeness } = verdict;
  const wrong = faults.map((fault) => ({ passed: false, says: fault.words }));
  const clean = wrong.length ? [] : [{ passed: true, says: "no fault found by rule" }];
  const heard = critic === null ? [] : [{ passed: critic >= 0.5 || null, says: `critic: ${Math.round(critic * 100)} % human` }];
  const strange = strangeness == null ? [] : [{ passed: strangeness <= 1.25 || null, says: `strangeness: ${strangeness.toFixed(2)}, human music has 1` }];
  const alike = likeness ? [{ passed: !likeness.missed.length || null, says: likeness.words }] : [];
  return [...originality(verdict), ...wrong, ...clean, ...alike, ...strange, ...heard];
}

/** What was found of copied passages; nothing where none were looked for. */
function originality({ searched, copied, copy }) {
  if (copied) return [{ passed: false, says: copy ? copyWords(copy) : "has copied passages" }];
  if (!searched) return [];
  return [{ passed: true, says: copy ? `original: no more than ${copy.notes} notes in a row as in a training piece` : "original: no passage of the training music" }];
}

/** Whether nothing speaks against a node. */
export const isSound = (node) => reasonsOf(node).every((reason) => reason.passed !== false);
