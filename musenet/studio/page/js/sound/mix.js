/**
 * The desk: a gain for each part, then a limiter.
 * @module
 */

const GLIDE = 0.012;

/** Parts mixed by gains, so that mute and solo are instant. */
export class Mix {
  /** @param {BaseAudioContext} context */
  constructor(context) {
    this.context = context;
    this.parts = new Map();
    this.gains = {};
    this.limiter = new DynamicsCompressorNode(context, {
      threshold: -3, knee: 2, ratio: 16, attack: 0.002, release: 0.12,
    });
    this.limiter.connect(context.destination);
  }

  /** The input of a part. @returns {GainNode} */
  part(instrument) {
    if (!this.parts.has(instrument)) {
      const node = new GainNode(this.context, { gain: this.gains[instrument] ?? 1 });
      node.connect(this.limiter);
      this.parts.set(instrument, node);
    }
    return this.parts.get(instrument);
  }

  /** Sets how loud each part is from now on. @param {Record<string, number>} gains */
  apply(gains) {
    this.gains = gains;
    for (const [instrument, node] of this.parts) {
      node.gain.setTargetAtTime(gains[instrument] ?? 1, this.context.currentTime, GLIDE);
    }
  }
}
