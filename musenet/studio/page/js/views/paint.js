/**
 * Painting the piano roll on a canvas.
 * @module
 */

import { barStep, boxOf, firstSeen, GUTTER, RULER, rowOf } from "../core/layout.js";
import { lastAtMost, toSeconds, toX } from "../core/time.js";
import { clock, isBlack, pitchName } from "../core/words.js";

const FONT = "11px system-ui, sans-serif";
const SECTIONS = 0.055;
/** Length of a white and of a black key. */
const [KEY, BLACK_KEY] = [26, 16];

/** The colours of the theme, as the style sheet has them. */
export function inks(element) {
  const style = getComputedStyle(element);
  const ink = (name) => style.getPropertyValue(`--roll-${name}`).trim();
  return Object.fromEntries(
    ["paper", "black-key", "line", "beat", "bar", "text", "ruler", "accent", "cursor", "section", "key-white", "key-black", "key-edge", "glow"].map(
      (name) => [name, ink(name)],
    ),
  );
}

/** Paints everything.
 * @param {CanvasRenderingContext2D} g
 * @param {object} scene score, span, layout, longest, colours, loud, cursor, chosen, region,
 *   sections, hover, marquee, size, ink, drumName; faintest, how much is seen of the softest note */
export function paint(g, scene) {
  const { size, ink, layout } = scene;
  g.clearRect(0, 0, size.width, size.height);
  g.fillStyle = ink.paper;
  g.fillRect(0, 0, size.width, size.height);
  g.save();
  g.beginPath();
  g.rect(GUTTER, 0, size.width - GUTTER, size.height);
  g.clip();
  rows(g, scene);
  sectionBands(g, scene);
  bars(g, scene);
  regionBand(g, scene);
  clipTo(g, layout.left, layout.top, size.width, size.height, () => notes(g, scene));
  ruler(g, scene);
  cursor(g, scene);
  marquee(g, scene);
  g.restore();
  gutter(g, scene);
}

function clipTo(g, x, y, width, height, draw) {
  g.save();
  g.beginPath();
  g.rect(x, y, width, height);
  g.clip();
  draw();
  g.restore();
}

function rows(g, { layout, size, ink }) {
  clipTo(g, GUTTER, layout.top, size.width, layout.bottom - layout.top, () => {
    for (let pitch = Math.floor(layout.low) - 1; pitch <= Math.ceil(layout.high) + 1; pitch += 1) {
      const y = layout.top + (layout.high - pitch) * layout.row;
      if (isBlack(((pitch % 12) + 12) % 12)) {
        g.fillStyle = ink["black-key"];
        g.fillRect(GUTTER, y, size.width, layout.row);
      }
      if (pitch % 12 === 0) line(g, ink.line, GUTTER, y + layout.row, size.width, y + layout.row);
    }
  });
  layout.drums.forEach((_, index) => {
    if (index % 2) return;
    g.fillStyle = ink["black-key"];
    g.fillRect(GUTTER, layout.drumTop + index * layout.drumRow, size.width, layout.drumRow);
  });
  if (layout.drumRow && layout.bottom > layout.top) line(g, ink.bar, 0, layout.drumTop - 3, size.width, layout.drumTop - 3);
}

function line(g, colour, x0, y0, x1, y1, width = 1) {
  g.strokeStyle = colour;
  g.lineWidth = width;
  g.beginPath();
  g.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
  g.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  g.stroke();
}

function sectionBands(g, { sections, score, span, size, ink }) {
  sections.forEach((section, index) => {
    if (index % 2 === 0) return;
    const from = GUTTER + toX(span, startOf(score, section.bar));
    const to = index + 1 < sections.length ? GUTTER + toX(span, startOf(score, sections[index + 1].bar)) : size.width;
    g.globalAlpha = SECTIONS;
    g.fillStyle = ink.section;
    g.fillRect(from, RULER, to - from, size.height);
    g.globalAlpha = 1;
  });
}

const startOf = (score, bar) => score.bars[bar - 1]?.start ?? score.seconds;

function bars(g, { score, span, size, ink }) {
  const step = barStep(score.bars, span, 7);
  const first = Math.max(0, lastAtMost(score.bars, span.start, (bar) => bar.start));
  for (let index = first; index < score.bars.length; index += 1) {
    const x = GUTTER + toX(span, score.bars[index].start);
    if (x > size.width) break;
    if (index % step === 0) line(g, ink.bar, x, RULER, x, size.height);
    beats(g, { score, span, size, ink }, index);
  }
}

function beats(g, { score, span, size, ink }, index) {
  const [bar, next] = [score.bars[index], score.bars[index + 1]];
  if (!next) return;
  const metre = score.metres[Math.max(0, lastAtMost(score.metres, bar.tick, (row) => row.tick))];
  const width = ((next.start - bar.start) * span.scale) / metre.numerator;
  if (width < 14) return;
  for (let beat = 1; beat < metre.numerator; beat += 1) {
    const x = GUTTER + toX(span, bar.start) + beat * width;
    line(g, ink.beat, x, RULER, x, size.height);
  }
}

function regionBand(g, { region, score, span, size, ink }) {
  if (!region) return;
  const from = GUTTER + toX(span, startOf(score, region.from));
  const to = GUTTER + toX(span, startOf(score, region.to + 1));
  g.fillStyle = ink.accent;
  g.globalAlpha = 0.14;
  g.fillRect(from, 0, to - from, size.height);
  g.globalAlpha = 1;
  line(g, ink.accent, from, 0, from, size.height);
  line(g, ink.accent, to, 0, to, size.height);
}

function notes(g, scene) {
  const { score, span, layout, longest, size } = scene;
  const last = toSeconds(span, size.width - GUTTER);
  const chosen = new Set(scene.chosen);
  for (let index = firstSeen(score.notes, span.start, longest); index < score.notes.length; index += 1) {
    const note = score.notes[index];
    if (note.start > last) break;
    if (note.stop >= span.start) paintNote(g, scene, note, boxOf(layout, span, note), chosen.has(index));
  }
  g.globalAlpha = 1;
}

function paintNote(g, scene, note, box, chosen) {
  if (!box) return;
  const sounding = scene.playing && note.start <= scene.cursor && note.stop > scene.cursor;
  const gap = box.h > 5 ? 1 : 0;
  const width = Math.max(1.5, box.w - 1);
  g.globalAlpha = scene.loud(note.instrument) ? scene.faintest + ((1 - scene.faintest) * note.velocity) / 127 : 0.1;
  g.fillStyle = scene.colours[note.instrument] ?? "#888";
  g.beginPath();
  g.roundRect(box.x, box.y + gap / 2, width, Math.max(1.5, box.h - gap), Math.min(2.5, box.h / 4, width / 3));
  g.fill();
  if (sounding && scene.loud(note.instrument)) {
    g.globalAlpha = 0.6;
    g.fillStyle = scene.ink.glow;
    g.fill();
  }
  if (chosen) {
    g.globalAlpha = 1;
    g.strokeStyle = scene.ink.cursor;
    g.lineWidth = 1.5;
    g.stroke();
  }
}

function ruler(g, { score, span, size, ink, sections }) {
  g.fillStyle = ink.ruler;
  g.fillRect(GUTTER, 0, size.width, RULER);
  line(g, ink.bar, GUTTER, RULER, size.width, RULER);
  g.font = FONT;
  g.textBaseline = "middle";
  const step = barStep(score.bars, span);
  score.bars.forEach((bar, index) => {
    if (index % step) return;
    const x = GUTTER + toX(span, bar.start);
    if (x < GUTTER - 40 || x > size.width) return;
    line(g, ink.bar, x, RULER - 12, x, RULER);
    g.fillStyle = ink.text;
    g.fillText(String(index + 1), x + 4, RULER - 9);
  });
  changes(g, { score, span, size, ink, sections });
}

function changes(g, { score, span, size, ink, sections }) {
  const marks = [
    ...(sections.length > 1 ? sections : []).map((section) => ({ at: startOf(score, section.bar), text: section.name, ink: ink.accent })),
    ...score.metres.slice(1).map((metre) => ({ at: secondsOf(score, metre.tick), text: `${metre.numerator}/${metre.denominator}`, ink: ink.text })),
  ];
  let free = -Infinity;
  for (const mark of marks.filter(({ at }) => at !== undefined).sort((a, b) => a.at - b.at)) {
    const x = Math.max(GUTTER + 4, GUTTER + toX(span, mark.at) + 4);
    if (x < free || x > size.width) continue;
    g.fillStyle = mark.ink;
    g.fillText(mark.text, x, 10);
    free = x + g.measureText(mark.text).width + 10;
  }
}

const secondsOf = (score, tick) => score.bars.find((bar) => bar.tick >= tick)?.start;

function cursor(g, { span, cursor: at, size, ink, score }) {
  if (score.composed !== undefined && score.composed < score.seconds) {
    const x = GUTTER + toX(span, score.composed);
    g.fillStyle = ink.section;
    g.globalAlpha = 0.07;
    g.fillRect(x, RULER, size.width, size.height);
    g.globalAlpha = 1;
    line(g, ink.accent, x, RULER, x, size.height, 2);
  }
  const x = GUTTER + toX(span, at);
  if (x < GUTTER - 1) return;
  line(g, ink.cursor, x, 0, x, size.height, 1.5);
  g.fillStyle = ink.cursor;
  g.beginPath();
  g.moveTo(x - 5, 0);
  g.lineTo(x + 6, 0);
  g.lineTo(x + 0.5, 8);
  g.fill();
}

function marquee(g, { marquee: box, ink }) {
  if (!box) return;
  g.strokeStyle = ink.accent;
  g.fillStyle = ink.accent;
  g.globalAlpha = 0.12;
  g.fillRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
  g.globalAlpha = 1;
  g.strokeRect(box.x0 + 0.5, box.y0 + 0.5, box.x1 - box.x0, box.y1 - box.y0);
}

function gutter(g, { layout, size, ink, hover, drumName }) {
  g.fillStyle = ink.ruler;
  g.fillRect(0, 0, GUTTER, size.height);
  clipTo(g, 0, layout.top, GUTTER, layout.bottom - layout.top, () => keys(g, layout, ink, hover));
  g.font = `${Math.min(10, layout.drumRow)}px system-ui, sans-serif`;
  g.textBaseline = "middle";
  for (const pitch of layout.drumRow >= 7 ? layout.drums : []) {
    const { y, h } = rowOf(layout, { instrument: "drums", pitch });
    g.fillStyle = hover?.instrument === "drums" && hover.pitch === pitch ? ink.accent : ink.text;
    g.fillText(drumName(pitch), 3, y + h / 2 + 0.5, GUTTER - 5);
  }
  line(g, ink.bar, GUTTER - 1, 0, GUTTER - 1, size.height);
}

/** A keyboard: white keys, their edges, black keys on them. */
function keys(g, layout, ink, hover) {
  g.fillStyle = ink["key-white"];
  g.fillRect(GUTTER - KEY, layout.top, KEY, layout.bottom - layout.top);
  for (let pitch = Math.floor(layout.low) - 1; pitch <= Math.ceil(layout.high) + 1; pitch += 1) {
    const y = layout.top + (layout.high - pitch) * layout.row;
    const black = isBlack(((pitch % 12) + 12) % 12);
    const touched = hover && hover.instrument !== "drums" && hover.pitch === pitch;
    if (touched || black) {
      g.fillStyle = touched ? ink.accent : ink["key-black"];
      g.fillRect(GUTTER - KEY, y, black ? BLACK_KEY : KEY, layout.row);
    }
    const edge = black ? y + layout.row / 2 : y + layout.row;
    if (black || !isBlack(((pitch % 12) + 11) % 12)) line(g, ink["key-edge"], GUTTER - (black ? KEY - BLACK_KEY : KEY), edge, GUTTER, edge);
    const middle = y + layout.row / 2;
    if (pitch % 12 === 0 && middle > layout.top + 6 && middle < layout.bottom - 6) {
      g.fillStyle = ink.text;
      g.font = FONT;
      g.textBaseline = "middle";
      g.fillText(pitchName(pitch), 4, middle);
    }
  }
}

/** A piece in a small picture. @param {Record<string, string>} colours */
export function paintSmall(canvas, score, colours, played = 0) {
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const ratio = globalThis.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const g = canvas.getContext("2d");
  g.scale(ratio, ratio);
  const melodic = score.notes.filter((note) => note.instrument !== "drums");
  const low = melodic.reduce((least, note) => Math.min(least, note.pitch), 60) - 1;
  const high = melodic.reduce((most, note) => Math.max(most, note.pitch), 72) + 1;
  const [wide, tall] = [width / Math.max(1, score.seconds), (height - 4) / (high - low)];
  for (const note of melodic) {
    g.fillStyle = colours[note.instrument] ?? "#888";
    g.globalAlpha = note.start <= played ? 1 : 0.75;
    g.fillRect(note.start * wide, 2 + (high - note.pitch) * tall, Math.max(1, (note.stop - note.start) * wide), Math.max(1.5, tall));
  }
}

/** The words that stand beside the pointer. */
export const hoverWords = (note, name) =>
  `${name} · ${note.instrument} · ${clock(note.start)} · velocity ${note.velocity}`;
