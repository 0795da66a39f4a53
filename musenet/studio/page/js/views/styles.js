/**
 * Choosing styles: a search, sliders of the blend, and the map.
 * @module
 */

import { learnStyles } from "../actions/projects.js";
import { found, isOwn, shares, styleNamed, styleWords, suggested } from "../core/prompt.js";
import { capital } from "../core/words.js";
import { dialog, h, iconButton, refill, svg } from "./dom.js";

const POPULAR = 8;

/** The field of styles. @returns {HTMLElement} */
export function styleField(app) {
  const { store } = app;
  const set = (styles) => store.change("form", { styles });
  const add = (name) => set({ ...store.state.form.styles, [name]: 1 });
  const search = searchBox(app, add);
  const chosen = h("ul", { class: "blend", "aria-label": "Chosen styles" });
  const popular = h("div", { class: "chips", role: "group", "aria-label": "Popular styles" });
  store.watch((state) => [state.form.styles, state.styles], ({ form, styles }) => {
    refill(chosen, blend(form.styles, styles, set));
    refill(popular, ...suggested(styles, form.styles, POPULAR).map((style) =>
      h("button", { type: "button", class: "chip", "data-key": `add ${style.name}`, onclick: () => add(style.name) }, capital(style.name), isOwn(style) ? [" ", mark("yours")] : null)));
  });
  window.addEventListener("focus", () => learnStyles(app).catch(() => {}));
  return h("fieldset", {}, h("legend", {}, "Style"),
    h("div", { class: "row" }, search, iconButton("map", "Style map", () => styleMap(app, add), { class: "icon-button framed" })),
    chosen, popular);
}

/** A word beside a style. */
const mark = (words, bad = false) => h("small", { class: bad ? "mark-own bad" : "mark-own", title: words }, words);

/** What is to be said of a chosen style: that it is one's own, or cannot be had. */
function marked(name, known) {
  const style = styleNamed(known, name);
  if (!style) return known.length ? mark("not here", true) : null;
  if (style.fault) return mark(style.fault, true);
  return isOwn(style) ? mark("yours") : null;
}

function blend(styles, known, set) {
  const share = shares(styles);
  const names = Object.keys(styles);
  return names.map((name) => {
    const { [name]: weight, ...others } = styles;
    const slider = h("input", {
      type: "range", min: 0.05, max: 1, step: 0.05, value: weight, "data-key": `weight ${name}`,
      "aria-label": `How much ${name}`, "aria-valuetext": `${share[name]} %`,
      oninput: (event) => set({ ...styles, [name]: Number(event.target.value) }),
    });
    return h("li", {}, h("span", { class: "name" }, h("span", { title: capital(name) }, capital(name)), marked(name, known)),
      names.length > 1 ? slider : h("span"),
      h("output", {}, `${share[name]} %`),
      iconButton("close", `Remove ${name}`, () => set(others), { "data-key": `remove ${name}` }));
  });
}

/** A combobox (ARIA APG pattern) that finds styles. */
function searchBox(app, add) {
  let rows = [];
  let active = -1;
  const list = h("ul", { id: "style-list", role: "listbox", class: "suggestions", hidden: true, "aria-label": "Styles" });
  const input = h("input", {
    type: "search", id: "style-search", role: "combobox", placeholder: "Search: mozart, jazz, waltz…", autocomplete: "off",
    "aria-label": "Search styles", "aria-controls": "style-list", "aria-expanded": "false", "aria-autocomplete": "list",
  });
  const show = () => {
    const { styles, form } = app.store.state;
    rows = input.value.trim() ? found(styles.filter((style) => !(style.name in form.styles)), input.value) : [];
    active = rows.length ? Math.max(0, Math.min(active, rows.length - 1)) : -1;
    list.hidden = !input.value.trim();
    input.setAttribute("aria-expanded", String(!list.hidden));
    if (active >= 0) input.setAttribute("aria-activedescendant", `style-${active}`);
    else input.removeAttribute("aria-activedescendant");
    refill(list, rows.length ? rows.map(option) : h("li", { class: "none" }, "No such style: try a composer, a genre or a dance."));
  };
  const option = (style, index) =>
    h("li", {
      id: `style-${index}`, role: "option", "aria-selected": String(index === active), "aria-disabled": style.fault ? "true" : null,
      onpointerdown: (event) => { event.preventDefault(); choose(index); },
    }, h("span", {}, capital(style.name)), h("small", { class: isOwn(style) ? "mark-own" : "" }, styleWords(style)));
  const choose = (index) => {
    if (rows[index]?.fault) return app.fail(new Error(`The style “${rows[index].name}” cannot be used: ${rows[index].fault}. Make it anew with: musenet finetune`));
    if (rows[index]) add(rows[index].name);
    input.value = "";
    active = -1;
    show();
  };
  const keys = {
    ArrowDown: () => { active = Math.min(rows.length - 1, active + 1); show(); },
    ArrowUp: () => { active = Math.max(0, active - 1); show(); },
    Enter: () => choose(active),
    Escape: () => { input.value = ""; show(); },
  };
  input.addEventListener("input", () => { active = 0; show(); });
  input.addEventListener("blur", () => { list.hidden = true; input.setAttribute("aria-expanded", "false"); });
  input.addEventListener("focus", () => { show(); learnStyles(app).then(show, () => {}); });
  input.addEventListener("keydown", (event) => {
    if (!keys[event.key] || list.hidden) return;
    event.preventDefault();
    event.stopPropagation();
    keys[event.key]();
  });
  return h("div", { class: "search" }, input, list);
}

const HUES = 12;
const UNIT = 500;

/** A window with the map of styles, each a button. */
function styleMap(app, add) {
  const { about } = app.store.state;
  const styles = app.store.state.styles.filter((style) => style.x !== null);
  if (!styles.length) {
    const why = about?.model ? "This model has no map of styles" : "The model is still being loaded";
    return dialog("Style map", h("p", {}, `${why}: search for one instead.`));
  }
  const families = [...new Set(styles.map((style) => style.family))];
  const picture = svg("svg", { viewBox: "-560 -540 1170 1080", class: "style-map", role: "group", "aria-label": "Styles by likeness: near ones sound alike" });
  const chosen = h("p", { class: "quiet", role: "status" });
  const draw = () => {
    const { form } = app.store.state;
    const names = Object.keys(form.styles);
    chosen.textContent = names.length ? `Chosen: ${names.join(", ")}.` : "Click on styles to blend them. Near ones sound alike.";
    const last = (place) => Number(place.style.name in form.styles);
    picture.replaceChildren(...placed(styles).sort((a, b) => last(a) - last(b)).map((place) => point(place, families, form.styles, toggle)));
  };
  const toggle = (name) => {
    const { [name]: had, ...others } = app.store.state.form.styles;
    if (had === undefined) add(name);
    else app.store.change("form", { styles: others });
    draw();
    picture.querySelector(`[data-style="${CSS.escape(name)}"]`)?.focus();
  };
  draw();
  const frame = h("div", { class: "map-frame" }, picture);
  const window_ = dialog("Style map", chosen, frame);
  window_.classList.add("wide");
  frame.scrollTo((frame.scrollWidth - frame.clientWidth) / 2, (frame.scrollHeight - frame.clientHeight) / 2);
  return window_;
}

/** Names that would lie on another are left to the tooltip. */
function placed(styles) {
  const taken = [];
  return [...styles].sort((a, b) => (b.works ?? 0) - (a.works ?? 0)).map((style) => {
    const box = { x0: style.x, x1: style.x + 0.05 + style.name.length * 0.021, y0: style.y - 0.022, y1: style.y + 0.022 };
    const free = box.x1 < 1.2 && taken.every((other) => box.x0 > other.x1 || box.x1 < other.x0 || box.y0 > other.y1 || box.y1 < other.y0);
    if (free) taken.push(box);
    return { style, named: free };
  });
}

function point({ style, named }, families, chosen, toggle) {
  const on = style.name in chosen;
  const hue = families.indexOf(style.family) % HUES;
  const act = () => toggle(style.name);
  return svg("g", {
    class: `place hue-${hue}${on ? " on" : ""}`, role: "button", tabindex: 0, "data-style": style.name,
    "aria-label": `${style.name}, ${style.family}`, "aria-pressed": String(on), onclick: act,
    onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), act()),
  },
  svg("title", {}, `${capital(style.name)} (${style.family})`),
  svg("circle", { cx: style.x * UNIT, cy: -style.y * UNIT, r: on ? 13 : 7 }),
  named || on ? svg("text", { x: style.x * UNIT + 14, y: -style.y * UNIT + 6 }, capital(style.name)) : null);
}
