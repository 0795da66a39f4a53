/**
 * Playback: a source of sound, and a cursor that follows the clock of the audio device.
 * @module
 *
 * @typedef {{seconds: number, renew?: () => void, ready: (position: number) => boolean,
 *   schedule: (position: number) => void, silence: () => void, close: () => void}} Source
 * @typedef {"stopped" | "loading" | "playing"} State
 */

import { Mix } from "./mix.js";

const EVERY = 60;

/** Plays one source at a time. */
export class Player {
  /** @param {(state: State) => void} changed @param {(error: Error) => void} failed */
  constructor(changed, failed) {
    Object.assign(this, { changed, failed });
    this.context = null;
    this.source = null;
    this.state = "stopped";
    this.anchor = { position: 0, time: 0 };
    this.timer = 0;
  }

  /** The audio context, which browsers allow from the first click or key on. */
  open() {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.mix = new Mix(this.context);
    }
    if (this.context.state === "suspended") this.context.resume();
    return this.context;
  }

  /** The second that is heard now. */
  get position() {
    if (this.state !== "playing") return this.anchor.position;
    const heard = this.context.currentTime - (this.context.outputLatency || 0);
    return Math.max(this.anchor.position, this.anchor.position + heard - this.anchor.time);
  }

  /** The second that is sent to the device now. */
  get sent() {
    return this.anchor.position + this.context.currentTime - this.anchor.time;
  }

  /** Another source, at the same second; it plays on if one was playing. @param {Source | null} source */
  use(source) {
    if (source === this.source) return;
    const position = this.position;
    const went = this.state !== "stopped";
    this.source?.close();
    this.source = source;
    this.anchor = { position: Math.min(position, source?.seconds ?? 0), time: 0 };
    this.set("stopped");
    if (went && source) this.play();
  }

  /** Plays from where the cursor stands, from the beginning if that is the end. */
  play() {
    if (!this.source) return;
    this.open();
    this.source.renew?.();
    if (this.anchor.position >= this.source.seconds - 0.05) this.anchor.position = 0;
    this.set("loading");
    clearInterval(this.timer);
    this.timer = setInterval(() => this.step(), EVERY);
    this.step();
  }

  pause() {
    this.anchor = { position: this.position, time: 0 };
    this.source?.silence();
    this.set("stopped");
  }

  /** Moves the cursor; playing goes on from there. */
  seek(seconds) {
    const going = this.state !== "stopped";
    this.source?.silence();
    const end = this.source?.seconds ?? 0;
    this.anchor = { position: Math.min(end, Math.max(0, seconds)), time: 0 };
    if (going) this.set("loading");
    if (going) this.step();
  }

  step() {
    try {
      if (this.state === "loading") this.start();
      else this.goOn();
    } catch (error) {
      this.pause();
      this.failed(error);
    }
  }

  start() {
    this.source.fetchFrom?.(this.anchor.position);
    if (this.context.state !== "running" || !this.source.ready(this.anchor.position)) return;
    this.anchor.time = this.context.currentTime;
    this.set("playing");
    this.source.schedule(this.anchor.position);
  }

  goOn() {
    const sent = this.sent;
    if (sent >= this.source.seconds) {
      if (this.position >= this.source.seconds) this.finish();
    } else if (this.source.ready(sent + 0.1)) {
      this.source.schedule(sent);
    } else {
      this.source.silence();
      this.anchor = { position: sent, time: 0 };
      this.set("loading");
    }
  }

  finish() {
    this.anchor = { position: this.source.seconds, time: 0 };
    this.source.silence();
    this.set("stopped");
  }

  set(state) {
    if (state === "stopped") clearInterval(this.timer);
    if (this.state === state) return;
    this.state = state;
    this.changed(state);
  }
}
