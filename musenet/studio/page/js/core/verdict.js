/**
 * Why a candidate has its rank, in words.
 * @module
 *
 * @typedef {{passed: boolean, says: string}} Reason
 */

const copyWords = ({ notes, piece }) => `${notes} notes in a row are those of ${piece ?? "a piece of the training music"}`;

/** The reasons of a node's rank, the worst first; none where nothing was judged.
 * @returns {Reason[]} */
export function reasonsOf({ verdict }) {
  if (!verdict) return [];
  const { copied, copy, faults, critic } = verdict;
  const copying = copied ? [{ passed: false, says: copy ? copyWords(copy) : "has copied passages" }] : [];
  const wrong = faults.map((fault) => ({ passed: false, says: fault.words }));
  const clean = wrong.length ? [] : [{ passed: true, says: "no fault found by rule" }];
  const heard = critic === null ? [] : [{ passed: critic >= 0.5, says: `critic: ${Math.round(critic * 100)} % human` }];
  return [...copying, ...wrong, ...clean, ...heard];
}

/** Whether nothing speaks against a node. */
export const isSound = (node) => reasonsOf(node).every((reason) => reason.passed);
