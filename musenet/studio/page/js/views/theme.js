/**
 * Light and dark.
 * @module
 */

import { iconButton } from "./dom.js";

const KEY = "musenet theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

const kept = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

/** Whether the page is dark now. */
export const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";

/** The button that changes between the two. @param {() => void} changed */
export function themeButton(changed) {
  if (kept()) document.documentElement.dataset.theme = kept();
  return iconButton("theme", "Light or dark", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try {
      localStorage.setItem(KEY, document.documentElement.dataset.theme);
    } catch {
      // a browser that keeps nothing forgets the choice, which does no harm
    }
    changed();
  });
}
