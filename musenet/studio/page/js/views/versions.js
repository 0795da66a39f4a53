/**
 * The tree of versions, and what is known of the one that is shown.
 * @module
 */

import { anew } from "../actions/composing.js";
import { duplicate, goOnFrom, label, remove, useRecipe } from "../actions/pieces.js";
import { ofRecipe, words } from "../core/plan.js";
import { isArranged, shares } from "../core/prompt.js";
import { rows, titleOf } from "../core/tree.js";
import { reasonsOf } from "../core/verdict.js";
import { capital, clock, count, listed } from "../core/words.js";
import { exportDialog } from "./export.js";
import { button, h, icon, iconButton, refill } from "./dom.js";

const TWIG = 14;

/** Fills the panel of versions. */
export function versionsView(app, element) {
  const tree = h("ul", { class: "tree", role: "tree", "aria-label": "Versions" });
  const facts = h("div", { class: "facts" });
  element.append(h("h2", {}, "Versions"), tree, facts);
  tree.addEventListener("keydown", (event) => keys(app, tree, event));
  app.store.watch((state) => [state.nodes, state.shown, state.compared, state.folded], (state) => {
    const list = rows(state.nodes, new Set(state.folded));
    refill(tree, list.length ? list.map((row) => branch(app, row, state)) : h("li", { class: "quiet" }, "What is composed stands here, with every continuation as a branch of what it goes on from."));
  });
  app.store.watch((state) => [state.nodes, state.shown, state.compared, state.instruments], (state) => {
    const node = state.nodes.find((other) => other.id === state.shown);
    refill(facts, ...(node ? told(app, node, state) : []));
  });
}

function branch(app, { node, depth, below, place, siblings }, { shown, compared, folded }) {
  const on = node.id === shown;
  const open = !folded.includes(node.id);
  const row = h("li", {
    role: "treeitem", "aria-level": depth + 1, "aria-posinset": place, "aria-setsize": siblings,
    "aria-selected": String(on), "aria-expanded": below ? String(open) : null, tabindex: on ? 0 : -1,
    "data-key": node.id, "data-id": node.id, class: `twig${node.id === compared ? " compared" : ""}`,
    "aria-label": `${titleOf(node)}, ${count(node.bars, "bar")}, ${clock(node.seconds)}${node.rank ? `, rank ${node.rank}` : ""}`,
    onclick: () => app.show(node.id),
  },
  below ? h("span", { class: `fold${open ? "" : " shut"}`, onclick: (event) => { event.stopPropagation(); app.store.change("fold", node.id); } }, icon("down")) : h("span", { class: "fold" }),
  h("span", { class: "what" }, h("span", { class: "title" }, titleOf(node)), strip(app, node)),
  node.rank ? h("span", { class: `rank${node.rank === 1 ? " best" : ""}`, title: `rank ${node.rank} of its candidates` }, `#${node.rank}`) : h("span", { class: "kind" }, node.kind === "candidate" ? "" : node.kind),
  h("span", { class: "time" }, clock(node.seconds)));
  row.style.setProperty("--indent", `${depth * TWIG}px`);
  return row;
}

/** The instruments of a piece as a strip of colours. */
function strip(app, node) {
  const bar = h("span", { class: "strip", "aria-hidden": "true" });
  for (const [name, share] of Object.entries(node.instruments)) {
    const part = h("i", { colour: app.colours[name] ?? "#888" });
    part.style.flexGrow = String(share);
    bar.append(part);
  }
  return bar;
}

function keys(app, tree, event) {
  const items = [...tree.querySelectorAll("[role=treeitem]")];
  const index = items.indexOf(document.activeElement);
  if (index < 0) return;
  const node = app.store.state.nodes.find(({ id }) => id === items[index].dataset.id);
  const go = (to) => items[to] && (items[to].focus(), app.show(items[to].dataset.id));
  const expanded = items[index].getAttribute("aria-expanded");
  const actions = {
    ArrowDown: () => go(index + 1),
    ArrowUp: () => go(index - 1),
    Home: () => go(0),
    End: () => go(items.length - 1),
    ArrowRight: () => (expanded === "false" ? app.store.change("fold", node.id) : expanded && go(index + 1)),
    ArrowLeft: () => (expanded === "true" ? app.store.change("fold", node.id) : go(items.findIndex((item) => item.dataset.id === node.parent))),
    Delete: () => app.attempt(() => remove(app, node.id)),
    F2: () => document.querySelector("#label")?.focus(),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  actions[event.key]();
}

function told(app, node, state) {
  const name = h("input", { id: "label", value: node.label, placeholder: titleOf(node), maxlength: 120, "data-key": "label", "aria-label": "Label of this version",
    onchange: (event) => app.attempt(() => label(app, node, event.target.value)) });
  return [
    h("div", { class: "row" }, name, iconButton("save", "Export", () => exportDialog(app), { class: "icon-button framed" })),
    h("p", { class: "quiet" }, `${clock(node.seconds)} · ${count(node.bars, "bar")} · ${count(node.notes, "note")} · ${listed(Object.keys(node.instruments))}`),
    h("div", { class: "chips" },
      button("Go on from the end", () => goOnFrom(app, node, node.bars), { class: "chip plain" }),
      button("Copy", () => app.attempt(() => duplicate(app, node)), { class: "chip plain" }),
      addPart(app, node, state),
      compareButton(app, node, state),
      node.recipe && !isArranged(node.recipe) ? button("Same again", () => useRecipe(app, node), { class: "chip plain", title: "fill the form with what this was composed from" }) : null,
      button("Delete", () => app.attempt(() => remove(app, node.id)), { class: "chip plain danger" })),
    reasons(node),
    recipe(node),
  ];
}

function addPart(app, node, { instruments }) {
  return h("select", { class: "chip plain", "aria-label": "Add a part", "data-key": "add part",
    onchange: (event) => event.target.value && app.attempt(() => anew(app, { instruments: [event.target.value] })) },
  h("option", { value: "" }, "Add a part…"), instruments.filter(({ name }) => !(name in node.instruments)).map(({ name }) => h("option", { value: name }, capital(name))));
}

function compareButton(app, node, { compared, nodes }) {
  if (compared) return button("End comparing", () => app.store.change("compare", null), { class: "chip plain", "data-key": "compare" });
  const others = nodes.filter((other) => other.id !== node.id);
  if (!others.length) return null;
  return h("select", { class: "chip plain", "aria-label": "Compare with", "data-key": "compare", onchange: (event) => event.target.value && app.compare(event.target.value) },
    h("option", { value: "" }, "Compare with…"), others.map((other) => h("option", { value: other.id }, titleOf(other))));
}

function reasons(node) {
  const list = reasonsOf(node);
  if (!list.length) return null;
  return h("ul", { class: "reasons", "aria-label": "Why it has its rank" }, list.map(({ passed, says }) =>
    h("li", { class: { true: "passed", false: "failed" }[passed] ?? "told" }, icon({ true: "check", false: "warn" }[passed] ?? "note"),
      h("span", {}, capital(says), h("span", { class: "hidden" }, { true: " (good)", false: " (a fault)" }[passed] ?? "")))));
}

function recipe(node) {
  if (!node.recipe) return null;
  const { prompt, sampling, seed, own_styles = {} } = node.recipe;
  const rowsOf = [
    ["Rank", node.rank && `${node.rank} of ${node.recipe.candidates}`],
    ["Style", Object.entries(shares(Object.fromEntries(prompt.styles))).map(([name, share]) => `${capital(name)} ${share} %`).join(", ") || "any"],
    ["Your own", listed(Object.keys(own_styles))],
    ["Asked for", listed(prompt.instruments) || "any instruments"],
    ["Sections", listed(ofRecipe(prompt).map((section) => `${clock(section.at)} ${words(section)}`))],
    ["Kept", node.kept_bars && `bars 1 to ${node.kept_bars}`],
    ["Seed", String(seed)],
    ["Temperature", String(sampling.temperature)],
    ["Guidance", sampling.guidance > 1 && String(sampling.guidance)],
    ["Ended by", node.facts?.ended_by],
  ].filter(([, value]) => value);
  return h("dl", {}, rowsOf.map(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}
