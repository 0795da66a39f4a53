/**
 * The tree of a project's nodes.
 * @module
 *
 * @typedef {{id: string, parent: string | null, label: string, kind: string, rank: number | null,
 *   composition: string | null, candidate: number | null, kept_bars: number | null}} Node
 */

import { capital } from "./words.js";

/** Nodes in the order of the tree with their depth; a parent that is gone makes a root.
 * @param {Node[]} nodes
 * @returns {{node: Node, depth: number, first: boolean, siblings: number, place: number}[]} */
export function rows(nodes, folded = new Set()) {
  const known = new Set(nodes.map((node) => node.id));
  const children = new Map();
  for (const node of nodes) {
    const parent = known.has(node.parent) ? node.parent : null;
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  const result = [];
  const visit = (parent, depth) => {
    const group = [...(children.get(parent) ?? [])].sort(inOrder);
    group.forEach((node, index) => {
      const below = (children.get(node.id) ?? []).length;
      result.push({ node, depth, below, place: index + 1, siblings: group.length });
      if (!folded.has(node.id)) visit(node.id, depth + 1);
    });
  };
  visit(null, 0);
  return result;
}

const inOrder = (a, b) =>
  a.composition && a.composition === b.composition ? a.rank - b.rank : a.created - b.created;

/** A node and all under it. */
export function branch(nodes, id) {
  const found = new Set([id]);
  for (let size = 0; size !== found.size; ) {
    size = found.size;
    for (const node of nodes) if (found.has(node.parent)) found.add(node.id);
  }
  return found;
}

/** Candidates that were composed together with a node, the best first. */
export function together(nodes, node) {
  if (!node?.composition) return node ? [node] : [];
  return nodes
    .filter((other) => other.composition === node.composition)
    .sort((a, b) => a.rank - b.rank);
}

/** Nodes with some put in, in place of older versions of themselves. */
export function merged(nodes, news) {
  const fresh = new Map(news.map((node) => [node.id, node]));
  const kept = nodes.map((node) => fresh.get(node.id) ?? node);
  const known = new Set(nodes.map((node) => node.id));
  return [...kept, ...news.filter((node) => !known.has(node.id))];
}

/** Which is shown when one is deleted: a sibling, or the parent, or the latest. */
export function afterDeleting(nodes, id) {
  const gone = branch(nodes, id);
  const left = nodes.filter((node) => !gone.has(node.id));
  const node = nodes.find((other) => other.id === id);
  const near = left.filter((other) => node && other.parent === node.parent);
  const beside = near.find((other) => other.composition === node.composition) ?? near.at(-1);
  const parent = left.find((other) => node && other.id === node.parent);
  return { left, next: (beside ?? parent ?? left.at(-1))?.id ?? null };
}

/** Sections of a piece: where each continuation in its past took over. Bars count from 1.
 * @returns {{bar: number, name: string}[]} */
export function sections(nodes, node) {
  const byId = new Map(nodes.map((other) => [other.id, other]));
  const result = [];
  let limit = Infinity;
  for (let step = node; step; step = byId.get(step.parent)) {
    if (step.kept_bars === null || step.edited === "trim") {
      result.push({ bar: 1, name: titleOf(step) });
      break;
    }
    if (step.kept_bars < limit) {
      result.push({ bar: step.kept_bars + 1, name: titleOf(step) });
      limit = step.kept_bars;
    }
    if (!byId.has(step.parent)) result.push({ bar: 1, name: "Opening" });
  }
  return result.reverse();
}

const KINDS = { upload: "Your file", opening: "Opening", edit: "Edited", candidate: "Piece" };

/** What a node is called. */
export function titleOf(node) {
  if (node.label) return node.label;
  const styles = (node.recipe?.prompt?.styles ?? []).map(([name]) => capital(name));
  const name = styles.length ? styles.join(" + ") : KINDS[node.kind];
  return node.candidate === null ? name : `${name} ${String.fromCharCode(65 + node.candidate)}`;
}
