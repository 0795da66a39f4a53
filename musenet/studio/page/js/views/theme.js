/**
 * Light and dark.
 * @module
 */

import { iconButton } from "./dom.js";

const KEY = "musenet theme";

const kept = () => {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
};

const sheet = /** @type {HTMLLinkElement} */ (document.getElementById("dark"));

/** Whether the page is dark now. */
export const isDark = () => matchMedia(sheet.media).matches;

/** @param {string} theme */
const show = (theme) => {
  sheet.media = theme === "dark" ? "all" : "not all";
};

/** The button that changes between the two. @param {() => void} changed */
export function themeButton(changed) {
  const before = kept();
  if (before) show(before);
  return iconButton("theme", "Light or dark", () => {
    const theme = isDark() ? "light" : "dark";
    show(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // a browser that keeps nothing forgets the choice, which does no harm
    }
    changed();
  });
}
