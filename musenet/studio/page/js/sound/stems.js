/**
 * Sound of a stored piece: the server's stems, fetched in segments as they are needed.
 * @module
 */

import * as api from "../api.js";
import { address, fades, farthest, gainAt, keyOf, placed, segmentAt, wanted } from "../core/segments.js";

const AHEAD = 14;
const SCHEDULED = 5;
/** Segments that are kept: so many, or so many a stem where there are many. */
const [KEPT, KEPT_EACH] = [60, 8];
const AT_ONCE = 4;

/** Segments of stems, from the server to the mix. */
class Segments {
  /** @param {BaseAudioContext} context @param {import("./mix.js").Mix} mix */
  constructor(context, mix, stems) {
    Object.assign(this, { context, mix, stems });
    this.position = 0;
    this.buffers = new Map();
    this.pending = new Map();
    this.sounding = new Map();
    this.most = Math.max(KEPT, KEPT_EACH * stems.stems.length);
    this.failed = null;
    this.stopped = new AbortController();
  }

  /** Fetches what sounds soon, the next first. */
  fetchFrom(position) {
    this.position = position;
    for (const { segment, stem } of wanted(this.stems, position, AHEAD)) {
      if (this.pending.size >= AT_ONCE) return;
      const key = keyOf({ segment, stem });
      if (this.buffers.has(key) || this.pending.has(key)) continue;
      this.pending.set(key, this.fetch(key, segment, this.stems.stems[stem]));
    }
  }

  async fetch(key, segment, stem) {
    try {
      const response = await api.send("GET", address(stem, segment), undefined, { signal: this.stopped.signal });
      this.buffers.set(key, await this.context.decodeAudioData(await response.arrayBuffer()));
      if (this.buffers.size > this.most) this.buffers.delete(farthest(this.stems, [...this.buffers.keys()], this.position, AHEAD));
    } catch (error) {
      if (error.name !== "AbortError") this.failed = error;
      return;
    } finally {
      this.pending.delete(key);
    }
    this.fetchFrom(this.position);
  }

  /** What failed is asked for once more; what was asked for with it would fail as well. */
  renew() {
    if (!this.failed) return;
    this.stopped.abort();
    this.stopped = new AbortController();
    this.failed = null;
  }

  /** Whether everything that sounds at a second is there. */
  ready(seconds) {
    if (this.failed) throw this.failed;
    const now = segmentAt(this.stems, seconds);
    return wanted(this.stems, seconds, 0).every(
      (one) => one.segment !== now || this.buffers.has(keyOf(one)),
    );
  }

  /** Sends to the speakers what sounds soon. @param {number} position second that sounds now */
  schedule(position) {
    this.fetchFrom(position);
    for (const { segment, stem } of wanted(this.stems, position, SCHEDULED)) {
      const key = keyOf({ segment, stem });
      if (this.buffers.has(key) && !this.sounding.has(key)) this.sound(key, segment, stem, position);
    }
  }

  sound(key, segment, stem, position) {
    const { delay, offset } = placed(this.stems, segment, position);
    const { instrument, gain } = this.stems.stems[stem];
    const when = this.context.currentTime + delay;
    const node = new AudioBufferSourceNode(this.context, { buffer: this.buffers.get(key) });
    const fade = new GainNode(this.context, { gain: 0 });
    const corners = fades(this.stems, segment);
    fade.gain.setValueAtTime(gain * gainAt(corners, offset), when);
    for (const [at, level] of corners) {
      if (at > offset) fade.gain.linearRampToValueAtTime(gain * level, when + at - offset);
      if (at > offset && level === 1) fade.gain.setValueAtTime(gain, when + at - offset);
    }
    node.connect(fade).connect(this.mix.part(instrument));
    node.onended = () => fade.disconnect();
    node.start(when, offset);
    this.sounding.set(key, node);
  }

  /** Silence; the segments stay. */
  silence() {
    for (const node of this.sounding.values()) node.stop();
    this.sounding.clear();
  }

  /** No more use for it. */
  close() {
    this.stopped.abort();
    this.silence();
    this.buffers.clear();
  }
}

/** A source for the player: a stored piece, asked for when it is first played. */
export class PieceSource {
  /** @param {import("./player.js").Player} desk whose context and mix sound it
   * @param {{id: string, seconds: number}} node
   * @param {() => void} whole called where there are no stems, so that parts cannot be mixed */
  constructor(desk, node, whole) {
    Object.assign(this, { desk, id: node.id, seconds: node.seconds, whole });
    this.segments = null;
    this.opening = null;
    this.failed = null;
  }

  /** Play begins: what failed before is asked for once more. */
  renew() {
    if (this.failed) Object.assign(this, { failed: null, opening: null });
    this.segments?.renew();
  }

  /** Fetches what sounds soon. */
  fetchFrom(position) {
    this.opening ??= this.open(position).catch((error) => (this.failed = error));
    this.segments?.fetchFrom(position);
  }

  async open(position) {
    const stems = await stemsOf(this.id, this.seconds);
    if (stems.whole) this.whole();
    this.seconds = stems.seconds;
    this.segments = new Segments(this.desk.context, this.desk.mix, stems);
    this.segments.fetchFrom(position);
  }

  /** Whether what sounds at a second is there. */
  ready(position) {
    if (this.failed) throw this.failed;
    return this.segments?.ready(position) ?? false;
  }

  schedule(position) {
    this.segments.schedule(position);
  }

  silence() {
    this.segments?.silence();
  }

  close() {
    this.segments?.close();
  }
}

/** A piece's stems; where the server cannot make them, its whole mix. */
async function stemsOf(id, seconds) {
  try {
    return await api.stems(id);
  } catch (error) {
    if (![404, 500, 501].includes(error.status)) throw error;
    return wholeMix(id, seconds);
  }
}

/** The whole mix, told as if it were a stem of one segment. */
export const wholeMix = (id, seconds) => ({
  whole: true,
  seconds,
  segments: 1,
  segment_seconds: seconds + 30,
  overlap_seconds: 0,
  stems: [{ instrument: "", url: api.rendering(id, "mp3"), gain: 1, silent: [] }],
});
