/**
 * What the page tells: notices, the words beside a note, and the welcome.
 * @module
 */

import { compose } from "../actions/composing.js";
import { button, h, iconButton, refill } from "./dom.js";

const SHOWN = 7000;

/** Fills the place of notices: a polite live region for words, an alert for errors. */
export function noticeView(app, element) {
  let timer = 0;
  const hide = () => app.store.change("notice", null);
  app.store.watch((state) => [state.notice], ({ notice }) => {
    clearTimeout(timer);
    element.className = notice ? `notice ${notice.kind}` : "notice";
    element.setAttribute("role", notice?.kind ?? "status");
    refill(element, ...(notice ? [
      h("span", {}, notice.text),
      notice.action ? button(notice.action.label, () => { hide(); app.attempt(notice.action.act); }, { class: "chip" }) : null,
      iconButton("close", "Close this notice", hide),
    ] : []));
    if (notice && notice.kind !== "alert") timer = setTimeout(hide, SHOWN);
  });
}

/** The words beside the note under the pointer. */
export function tipView(element) {
  return (canvas, box, words) => {
    element.hidden = !words;
    if (!words) return;
    element.textContent = words;
    const place = canvas.getBoundingClientRect();
    const left = Math.min(place.left + Math.max(50, box.x), document.documentElement.clientWidth - element.offsetWidth - 8);
    element.style.left = `${Math.max(4, left)}px`;
    element.style.top = `${place.top + box.y - 32}px`;
  };
}

const IDEAS = [
  { styles: { mozart: 1 }, instruments: ["violin", "viola", "cello"], says: "Mozart for strings" },
  { styles: { jazz: 1 }, instruments: ["piano", "acoustic bass", "drums"], says: "A jazz trio" },
  { styles: { chopin: 1, ragtime: 0.6 }, instruments: ["piano"], says: "Chopin meets ragtime" },
  { styles: { rock: 1, baroque: 0.5 }, instruments: ["electric guitar", "electric bass", "organ", "drums"], says: "Baroque rock" },
];

/** What is shown where there is no music yet. */
export function welcomeView(app, element) {
  const ideas = h("div", { class: "chips" });
  const compact = button("Choose yourself", () => app.store.change("tab", "compose"), { class: "chip plain narrow" });
  element.append(h("h2", {}, "What shall it be?"),
    h("p", {}, "Choose a style and instruments, or drop a MIDI file anywhere to go on from it. Then press Compose. Or try one of these:"), ideas, compact);
  app.store.watch((state) => [state.styles, state.shown, state.draft, state.job?.id], ({ styles, shown, draft, job }) => {
    element.hidden = Boolean(shown) || draft !== null || Boolean(job);
    const known = new Set(styles.map((style) => style.name));
    refill(ideas, IDEAS.filter((idea) => Object.keys(idea.styles).every((name) => known.has(name))).map((idea) =>
      button(idea.says, () => {
        app.store.change("form", { styles: idea.styles, instruments: idea.instruments, opening: null });
        app.attempt(() => compose(app));
      }, { class: "chip" })));
  });
}
