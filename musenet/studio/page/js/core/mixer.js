/**
 * The mixer: which part sounds how loud.
 * @module
 *
 * @typedef {{mute: boolean, solo: boolean, volume: number}} Channel
 */

/** @type {Channel} */
export const PLAIN = { mute: false, solo: false, volume: 1 };

/** The channel of a part. @returns {Channel} */
export const channel = (mixer, instrument) => mixer[instrument] ?? PLAIN;

/** A mixer with one channel changed. */
export const mixed = (mixer, instrument, change) => ({
  ...mixer,
  [instrument]: { ...channel(mixer, instrument), ...change },
});

/** The gain of each part: solo hears nothing but the soloed, mute wins over both. */
export function gains(mixer, instruments) {
  const solo = instruments.some((name) => channel(mixer, name).solo);
  return Object.fromEntries(
    instruments.map((name) => {
      const { mute, solo: own, volume } = channel(mixer, name);
      return [name, mute || (solo && !own) ? 0 : volume];
    }),
  );
}
