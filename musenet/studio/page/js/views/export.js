/**
 * Export: every format that the server makes, a link, and a command.
 * @module
 */

import * as api from "../api.js";
import { settled } from "../actions/editing.js";
import { nodeOf } from "../actions/pieces.js";
import { command, encoded, formOf, isArranged, missing } from "../core/prompt.js";
import { titleOf } from "../core/tree.js";
import { button, dialog, h } from "./dom.js";

const FORMATS = {
  mid: ["MIDI", "for a DAW or a notation program"],
  mp3: ["MP3", "sound, small"],
  wav: ["WAV", "sound, lossless"],
  flac: ["FLAC", "sound, lossless and smaller"],
  ogg: ["Ogg Vorbis", "sound, small"],
  musicxml: ["MusicXML", "for notation programs"],
  mxl: ["MXL", "MusicXML, compressed"],
  "score.pdf": ["Score, PDF", "printed music"],
  "score.svg": ["Score, SVG", "all pages below one another"],
  png: ["Piano roll, PNG", "a picture"],
  svg: ["Piano roll, SVG", "a picture that scales"],
  pdf: ["Piano roll, PDF", "a picture to print"],
};

/** Opens the window of exports for the piece that is shown. */
export async function exportDialog(app) {
  await settled(app);
  const { state } = app.store;
  const node = nodeOf(state);
  if (!node) return app.say("There is nothing to export yet: compose something first.");
  const status = h("p", { class: "quiet", role: "status" });
  const order = Object.keys(FORMATS);
  const formats = [...state.about.renderings].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  dialog(`Export ${titleOf(node)}`,
    h("ul", { class: "formats" }, formats.map((format) => entry(app, node, format, status))),
    status, ...again(app, node));
}

function entry(app, node, format, status) {
  const [name, says] = FORMATS[format] ?? [format.toUpperCase(), ""];
  const save = async () => {
    status.textContent = `Making the ${name}…`;
    try {
      const response = await api.send("GET", `${api.rendering(node.id, format)}?download=true`);
      const url = URL.createObjectURL(await response.blob());
      h("a", { href: url, download: nameOf(response, node, format) }).click();
      setTimeout(() => URL.revokeObjectURL(url), 60_000);
      status.textContent = `${name} saved.`;
    } catch (error) {
      status.textContent = error.message;
    }
  };
  return h("li", {}, button(name, save, { "data-format": format }), h("span", { class: "quiet" }, says));
}

function nameOf(response, node, format) {
  const told = /filename\*?=(?:UTF-8'')?"?([^";]+)/i.exec(response.headers.get("Content-Disposition") ?? "");
  return told ? decodeURIComponent(told[1]) : `${titleOf(node)}.${format}`;
}

/** How to have the same piece again. */
function again(app, node) {
  if (!node.recipe) return [h("p", { class: "quiet" }, "This version was not composed, so no link makes it again: export it as MIDI.")];
  const arranged = isArranged(node.recipe);
  const kept = node.kept_bars !== null;
  const given = arranged || kept ? "given.mid" : null;
  const how = arranged ? "is composed into" : `goes on from bars 1 to ${node.kept_bars} of`;
  return [
    h("h3", {}, "The same again"),
    h("p", { class: "quiet" }, given
      ? `It ${how} another version: export that one as ${given} first. Candidate ${node.candidate + 1} is this one.`
      : `Candidate ${node.candidate + 1} of them is this one, before any editing.`),
    ...missing(node.recipe, app.store.state.styles).map(({ name, gone }) => h("p", { class: "warning" },
      `Your own style “${name}” ${gone ? "is not here any more: put its file back" : "has changed since: put the former file back"} to have the same again.`)),
    given ? null : copyable(app, "Link", linkTo(node.recipe)),
    copyable(app, "Command", command(node.recipe, given)),
    arranged ? null : h("p", { class: "quiet" }, `A MIDI file as it was composed tells this as well: musenet compose --again piece.mid${kept ? ` --from ${given}` : ""}`),
  ].filter(Boolean);
}

const linkTo = (recipe) => `${location.origin}${location.pathname}#compose=${encoded(formOf(recipe))}`;

function copyable(app, name, text) {
  const field = h("input", { readonly: true, value: text, "aria-label": name, onfocus: () => field.select() });
  const copy = async () => {
    await navigator.clipboard?.writeText(text).catch(() => {});
    field.select();
    app.say(`${name} copied.`);
  };
  return h("div", { class: "row copyable" }, h("span", {}, name), field, button("Copy", copy));
}
