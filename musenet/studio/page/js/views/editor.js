/**
 * Editing with the pointer: gestures on the roll become changes of notes.
 * @module
 */

import { inside, pitchAt } from "../core/layout.js";
import { add, lengthen, move, snapped } from "../core/notes.js";
import { tickAt } from "../core/time.js";

/** Gestures of a roll that is edited. */
export class Editor {
  /** @param {object} app */
  constructor(app) {
    this.app = app;
  }

  get state() {
    return this.app.store.state;
  }

  /** Ticks of the grid: so many to a beat. */
  grid(score) {
    return this.state.grid ? Math.max(1, Math.round(score.ticks_per_beat / this.state.grid)) : 0;
  }

  cursor(found) {
    if (!this.state.editing) return null;
    if (!found) return "crosshair";
    return found.edge ? "ew-resize" : "move";
  }

  /** What a press of the pointer begins; null where nothing is edited. */
  begin(roll, point) {
    if (!this.state.editing || !this.app.editable()) return null;
    const found = roll.noteAt(point);
    const drag = { from: point, score: roll.score };
    if (!found) return { ...drag, kind: "marquee", before: point.shift ? this.state.chosen : [] };
    const chosen = this.chosenWith(found.index, point.shift);
    this.app.store.change("choose", chosen);
    this.app.touch(roll.score.notes[found.index]);
    return { ...drag, kind: found.edge ? "length" : "move", chosen };
  }

  chosenWith(index, more) {
    const { chosen } = this.state;
    if (more && chosen.includes(index)) return chosen.filter((other) => other !== index);
    if (more) return [...chosen, index];
    return chosen.includes(index) ? chosen : [index];
  }

  drag(roll, drag, point) {
    if (drag.kind === "marquee") this.marquee(roll, drag, point);
    else this.preview(roll, drag, point);
    this.app.redraw();
  }

  marquee(roll, drag, point) {
    roll.marquee = { x0: drag.from.x, y0: drag.from.y, x1: point.x, y1: point.y };
    const found = inside(roll.score, roll.layout, roll.viewport.span, roll.marquee);
    this.app.store.change("choose", [...new Set([...drag.before, ...found])]);
  }

  preview(roll, drag, point) {
    const { score } = drag;
    const at = (x) => tickAt(score.tempos, score.ticks_per_beat, roll.secondAt(x));
    const ticks = snapped(at(point.x) - at(drag.from.x), point.alt ? 0 : this.grid(score));
    const up = Math.round((drag.from.y - point.y) / roll.layout.row);
    drag.result = drag.kind === "length"
      ? lengthen(score, drag.chosen, ticks, this.grid(score) || 1)
      : move(score, drag.chosen, ticks, up);
    this.app.store.change("edited", { id: this.state.shown, ...drag.result });
  }

  end(roll, drag) {
    if (drag.result) this.app.commit(drag.result);
    else if (drag.kind === "marquee" && !drag.far) this.app.store.change("choose", []);
    else if (!drag.far && drag.chosen.length > 1 && !drag.from.shift) this.single(roll, drag);
  }

  single(roll, drag) {
    const found = roll.noteAt(drag.from);
    if (found) this.app.store.change("choose", [found.index]);
  }

  /** A double click on nothing adds a note. */
  double(roll, point) {
    if (!this.state.editing || !this.app.editable() || roll.noteAt(point)) return;
    const { score } = roll;
    const row = pitchAt(roll.layout, point.y);
    const grid = this.grid(score) || 1;
    const tick = Math.floor(tickAt(score.tempos, score.ticks_per_beat, roll.secondAt(point.x)) / grid) * grid;
    const instrument = row.drums ? "drums" : this.app.pen();
    const note = { instrument, pitch: row.pitch, velocity: 80, onset: tick, duration: grid };
    this.app.commit(add(score, [note]));
    this.app.touch({ ...note, start: 0, stop: 0.3 });
  }
}
