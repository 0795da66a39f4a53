/**
 * A piano roll: a canvas that shows a score and takes wheel, pointer and pinch.
 * @module
 */

import { boxOf, GUTTER, hit, layoutOf, longestOf, rangeOf, RULER } from "../core/layout.js";
import { channel, gains } from "../core/mixer.js";
import { barAt, bounded, fitted, following, panned, toSeconds, zoomed } from "../core/time.js";
import { pitchName } from "../core/words.js";
import { hoverWords, inks, paint } from "./paint.js";
import { isDark } from "./theme.js";

const STILL = 4;

/** What is seen, shared by rolls that stand above each other. */
export class Viewport {
  constructor() {
    Object.assign(this, { span: { start: 0, scale: 40 }, rows: 1, shift: 0, fit: true, follow: true });
  }
}

/** One piano roll. */
export class Roll {
  /** @param {object} app @param {HTMLCanvasElement} canvas @param {Viewport} viewport
   * @param {object} tools editing gestures, see `editor.js`; null where nothing can be edited */
  constructor(app, canvas, viewport, tools) {
    Object.assign(this, { app, canvas, viewport, tools });
    Object.assign(this, { score: null, sections: [], hover: null, marquee: null, drag: null, quiet: false });
    this.pointers = new Map();
    this.context = canvas.getContext("2d", { alpha: false });
    new ResizeObserver(() => {
      this.resize();
      app.paint();
    }).observe(canvas);
    this.listen();
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointercancel", (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => this.hovering(null));
    canvas.addEventListener("dblclick", (event) => this.tools?.double(this, this.point(event)));
  }

  /** Shows a score. @param {object | null} score @param {object[]} sections */
  show(score, sections) {
    this.score = score;
    this.sections = sections;
    if (score) {
      this.range = rangeOf(score);
      this.longest = longestOf(score.notes);
      this.colours = this.app.coloursOf(score);
    }
    this.resize();
  }

  /** The width in which time runs. */
  get width() {
    return Math.max(1, (this.size?.width ?? 0) - GUTTER);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    this.size = { width, height };
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.ink = inks(this.canvas);
    this.arrange();
  }

  /** Fits what is seen to the piece and the canvas. */
  arrange() {
    if (!this.score || !this.size) return this.app.redraw();
    const { viewport } = this;
    this.layout = layoutOf(this.range, this.size.width, this.size.height, viewport);
    viewport.span = viewport.fit ? fitted(this.score.seconds, this.width) : bounded(viewport.span, this.score.seconds, this.width);
    this.app.redraw();
  }

  /** Paints the canvas. @param {number} cursor second @param {boolean} playing */
  paint(cursor, playing) {
    if (!this.score || !this.layout || !this.size) return;
    if (playing && this.viewport.follow && !this.viewport.fit && !this.drag) {
      this.viewport.span = following(this.viewport.span, cursor, this.score.seconds, this.width);
    }
    const { state } = this.app.store;
    const level = gains(state.mixer, this.score.parts.map((part) => part.instrument));
    paint(this.context, {
      ...this, cursor, playing, faintest: isDark() ? 0.62 : 0.45, span: this.viewport.span, region: this.quiet ? null : state.region,
      chosen: this.quiet ? [] : state.chosen, loud: (name) => level[name] > 0,
      drumName: this.app.drumName,
    });
  }

  /** Nearer (above 1) or farther, around a pixel. */
  zoom(factor, x = this.width / 2) {
    if (!this.score) return;
    this.viewport.fit = false;
    this.viewport.span = zoomed(this.viewport.span, factor, x, this.score.seconds, this.width);
    this.app.redraw();
  }

  /** The whole piece. */
  fit() {
    Object.assign(this.viewport, { fit: true, rows: 1, shift: 0 });
    this.arrange();
  }

  pan(pixels) {
    this.viewport.span = panned(this.viewport.span, pixels, this.score.seconds, this.width);
    this.app.redraw();
  }

  /** Higher rows (above 1) or lower ones, and up or down by rows. */
  stretch(factor, up = 0) {
    const { viewport } = this;
    viewport.rows = Math.min(4, Math.max(1, viewport.rows * factor));
    const whole = this.range.high - this.range.low + 1;
    viewport.shift = Math.min(whole - whole / viewport.rows, Math.max(0, viewport.shift + up));
    this.arrange();
  }

  wheel(event) {
    if (!this.score) return;
    event.preventDefault();
    const amount = event.deltaMode === 1 ? event.deltaY * 16 : event.deltaY;
    if (event.altKey) this.stretch(Math.exp(-amount * 0.002));
    else if (event.shiftKey) this.pan(event.deltaX || amount);
    else if (!event.ctrlKey && Math.abs(event.deltaX) > Math.abs(event.deltaY)) this.pan(event.deltaX);
    else this.zoom(Math.exp(-amount * (event.ctrlKey ? 0.01 : 0.0016)), this.point(event).x - GUTTER);
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, shift: event.shiftKey, alt: event.altKey, ctrl: event.ctrlKey || event.metaKey };
  }

  /** The second under a pixel. */
  secondAt(x) {
    return Math.min(this.score.seconds, Math.max(0, toSeconds(this.viewport.span, x - GUTTER)));
  }

  /** The audible note under a point. */
  noteAt({ x, y }) {
    if (!this.layout || y < RULER || x < GUTTER) return null;
    const { mixer } = this.app.store.state;
    return hit(this.score, this.layout, this.viewport.span, x, y, this.longest, (note) => !channel(mixer, note.instrument).mute);
  }

  down(event) {
    if (!this.score || event.button > 1) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.pointers.set(event.pointerId, event);
    const point = this.point(event);
    if (this.pointers.size === 2) this.drag = { kind: "pinch", apart: this.apart(), from: point };
    else if (point.y < RULER) this.drag = { kind: "ruler", from: point };
    else if (event.button === 1) this.drag = { kind: "drift", from: point, last: point.x, lastY: point.y };
    else this.drag = this.tools?.begin(this, point) ?? { kind: "drift", from: point, last: point.x, lastY: point.y };
  }

  apart() {
    const [one, two] = [...this.pointers.values()];
    return Math.max(10, Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY));
  }

  move(event) {
    if (!this.score) return;
    const point = this.point(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, event);
    if (!this.drag) return this.hovering(point);
    this.drag.far ||= Math.hypot(point.x - this.drag.from.x, point.y - this.drag.from.y) > STILL;
    if (this.drag.far) this.dragged(point);
  }

  dragged(point) {
    const { kind } = this.drag;
    if (kind === "pinch") this.pinch(point);
    else if (kind === "drift") this.drift(point);
    else if (kind === "ruler") this.ruler(point);
    else this.tools.drag(this, this.drag, point);
  }

  pinch(point) {
    if (this.pointers.size < 2) return;
    const apart = this.apart();
    this.zoom(apart / this.drag.apart, point.x - GUTTER);
    this.drag.apart = apart;
  }

  drift(point) {
    this.viewport.follow = false;
    this.viewport.fit = false;
    this.pan(this.drag.last - point.x);
    this.drag.last = point.x;
    if (this.viewport.rows > 1) {
      this.stretch(1, (point.y - this.drag.lastY) / this.layout.row);
      this.drag.lastY = point.y;
    }
  }

  ruler(point) {
    const bars = [this.drag.from.x, point.x].map((x) => barAt(this.score.bars, this.secondAt(x)));
    this.app.store.change("region", { from: Math.min(...bars), to: Math.min(Math.max(...bars), this.score.bars.length) });
  }

  up(event) {
    if (!this.pointers.delete(event.pointerId) || !this.drag) return;
    const { drag } = this;
    if (this.pointers.size) return;
    this.drag = null;
    this.marquee = null;
    const own = drag.kind === "drift" || drag.kind === "ruler";
    if (own && !drag.far && event.type === "pointerup") {
      this.app.seek(this.secondAt(drag.from.x));
      if (drag.kind === "ruler") this.app.store.change("region", null);
    }
    if (!own && drag.kind !== "pinch") this.tools.end(this, drag);
    this.viewport.follow = true;
    this.app.redraw();
  }

  hovering(point) {
    const found = point && this.score ? this.noteAt(point) : null;
    const note = found ? this.score.notes[found.index] : null;
    this.canvas.style.cursor = this.tools?.cursor(found) ?? (note ? "pointer" : "default");
    if (note === this.hover) return;
    this.hover = note;
    const box = note && boxOf(this.layout, this.viewport.span, note);
    this.app.tip(this.canvas, box, note && hoverWords(note, this.nameOf(note)));
    this.app.redraw();
  }

  nameOf(note) {
    return note.instrument === "drums" ? this.app.drumName(note.pitch) : pitchName(note.pitch);
  }
}
