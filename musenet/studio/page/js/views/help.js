/**
 * The window that tells what keys do.
 * @module
 */

import { dialog, h } from "./dom.js";

const KEYS = [
  ["Playing", [["Space", "play or pause"], ["Home, End", "to the beginning, to the end"], ["← →", "a bar back, a bar on"], ["B", "hear the other of two that are compared"], ["1 to 8", "show a candidate"], ["M, Shift+M", "mute, solo the part of the chosen note or the first part"]]],
  ["Seeing", [["+ − or wheel", "zoom"], ["Alt + wheel, Alt + ↑ ↓", "higher or lower rows"], ["Shift + wheel", "move along"], ["0", "the whole piece"]]],
  ["Versions", [["Ctrl+Z, Ctrl+Shift+Z", "undo, redo"], ["G", "go on from the cursor"], ["[ and ]", "choose bars from, up to the cursor"], ["T", "keep only the chosen bars"], ["F2", "label (in the tree)"], ["Delete", "delete (in the tree, or chosen notes)"]]],
  ["Editing (E)", [["N, P", "choose the next, the previous note"], ["A", "add a note at the cursor"], ["← → ↑ ↓", "move the chosen notes; Shift+↑ ↓ by an octave"], ["Shift + ← →", "shorter, longer"], ["Ctrl+A, C, X, V", "choose all, copy, cut, paste"], ["Alt while dragging", "off the grid"]]],
  ["Page", [["Ctrl+Enter", "compose"], ["Ctrl+E", "export"], ["/", "search styles"], ["?", "this list"], ["Esc", "close, or choose nothing"]]],
];

/** Opens the window. */
export function helpDialog() {
  dialog("Keys", h("div", { class: "keys" }, KEYS.map(([title, rows]) =>
    h("section", {}, h("h3", {}, title), h("dl", {}, rows.map(([keys, does]) => [h("dt", {}, h("kbd", {}, keys)), h("dd", {}, does)]))))));
}
