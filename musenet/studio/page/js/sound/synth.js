/**
 * A small synthesizer of the page: pieces while they are composed, the on-screen keyboard, and
 * notes that are touched while editing.
 * @module
 */

const AHEAD = 0.6;
const RELEASE = 0.12;
const SUSTAINED = /organ|strings|violin|viola|cello|contrabass|choir|voice|flute|oboe|horn|clarinet|bassoon|sax|trumpet|trombone|tuba|brass|recorder|piccolo|pad|lead|accordion|bagpipes/;
const BRIGHT = /sax|trumpet|trombone|brass|strings|violin|viola|cello|distorted|lead|harpsichord/;

const noises = new WeakMap();

function noiseOf(context) {
  if (!noises.has(context)) {
    const buffer = context.createBuffer(1, context.sampleRate / 2, context.sampleRate);
    const samples = buffer.getChannelData(0);
    for (let index = 0; index < samples.length; index += 1) samples[index] = Math.random() * 2 - 1;
    noises.set(context, buffer);
  }
  return noises.get(context);
}

function drum(context, out, pitch, when, level) {
  const low = pitch <= 36 || pitch === 41 || pitch === 43 || pitch === 45;
  const length = low ? 0.22 : pitch >= 49 ? 0.4 : 0.09;
  const envelope = new GainNode(context, { gain: level });
  envelope.gain.setValueAtTime(level, when);
  envelope.gain.exponentialRampToValueAtTime(0.0005, when + length);
  const node = low
    ? new OscillatorNode(context, { frequency: 62 })
    : new AudioBufferSourceNode(context, { buffer: noiseOf(context) });
  node.connect(envelope).connect(out);
  node.start(when);
  node.stop(when + length);
  return node;
}

/** Sounds a note at a time of the context's clock. @returns {AudioScheduledSourceNode} */
export function strike(context, out, note, when, seconds) {
  const level = 0.22 * (note.velocity / 127) ** 1.5;
  if (note.instrument === "drums") return drum(context, out, note.pitch, when, level);
  const sustained = SUSTAINED.test(note.instrument);
  const held = Math.max(0.06, seconds);
  const envelope = new GainNode(context, { gain: 0 });
  envelope.gain.setValueAtTime(0, when);
  envelope.gain.linearRampToValueAtTime(level, when + (sustained ? 0.04 : 0.006));
  envelope.gain.setTargetAtTime(sustained ? level * 0.8 : level * 0.15, when + 0.05, sustained ? 0.3 : 0.45);
  envelope.gain.setTargetAtTime(0, when + held, RELEASE / 3);
  const node = new OscillatorNode(context, {
    type: BRIGHT.test(note.instrument) ? "sawtooth" : sustained ? "sine" : "triangle",
    frequency: 440 * 2 ** ((note.pitch - 69) / 12),
  });
  const filter = new BiquadFilterNode(context, { type: "lowpass", frequency: 2600 });
  node.connect(filter).connect(envelope).connect(out);
  node.start(when);
  node.stop(when + held + RELEASE);
  node.onended = () => envelope.disconnect();
  return node;
}

/** A source for the player: notes that may still grow. */
export class SynthSource {
  /** @param {import("./player.js").Player} desk whose context and mix sound them
   * @param {() => {notes: object[], seconds: number, composed?: number}} score */
  constructor(desk, score) {
    Object.assign(this, { desk, score });
    this.until = null;
    this.nodes = new Set();
  }

  /** The length that the piece will have. */
  get seconds() {
    return this.score().seconds;
  }

  /** Whether it is composed up to a second and a little farther. */
  ready(position) {
    const { composed, seconds } = this.score();
    return composed === undefined || composed >= Math.min(seconds, position + AHEAD / 2);
  }

  schedule(position) {
    const since = this.until ?? position - 0.02;
    this.until = position + AHEAD;
    for (const note of this.score().notes) {
      if (note.start >= this.until) return;
      if (note.start >= since) this.sound(note, position);
    }
  }

  sound(note, position) {
    const { context, mix } = this.desk;
    const when = context.currentTime + Math.max(0, note.start - position);
    const node = strike(context, mix.part(note.instrument), note, when, note.stop - note.start);
    this.nodes.add(node);
    node.addEventListener("ended", () => this.nodes.delete(node));
  }

  silence() {
    for (const node of this.nodes) node.stop();
    this.nodes.clear();
    this.until = null;
  }

  close() {
    this.silence();
  }
}
