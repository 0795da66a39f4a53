/**
 * What was done and can be taken back, for the whole page.
 * @module
 *
 * @typedef {{kind: "edit" | "delete" | "label", node: string, before?: string, after?: string}} Step
 * @typedef {{past: Step[], future: Step[]}} History
 */

/** As many as the server can take back of one node. */
const MOST = 100;

/** @type {History} */
export const EMPTY = { past: [], future: [] };

/** Something was done, so that nothing can be done again. @returns {History} */
export const done = (history, step) => ({
  past: [...history.past, step].slice(-MOST),
  future: [],
});

/** A step that cannot be taken back or done again does not stand before the others. @returns {History} */
export const dropped = ({ past, future }, step) => ({
  past: past.filter((other) => other !== step),
  future: future.filter((other) => other !== step),
});

/** The last step has been taken back. @returns {History} */
export const undone = ({ past, future }) =>
  past.length ? { past: past.slice(0, -1), future: [past.at(-1), ...future] } : { past, future };

/** The last step that was taken back has been done again. @returns {History} */
export const redone = ({ past, future }) =>
  future.length ? { past: [...past, future[0]], future: future.slice(1) } : { past, future };
