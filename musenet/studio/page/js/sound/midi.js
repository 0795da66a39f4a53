/**
 * MIDI keyboards (Web MIDI API, W3C).
 * @module
 */

const NONE = "This browser cannot listen to MIDI keyboards here. Chrome, Edge, Firefox and Opera can, at this machine's own address or over https.";
const REFUSED = "MIDI is not allowed for this page. Allow it in the browser's settings for this site, then press the button again.";
const FAULT = "The system's MIDI cannot be reached. Close other programs that use the keyboard, then press the button again.";

/** Whether the browser has been allowed to listen before, and need not ask. */
export async function isAllowed() {
  try {
    return (await navigator.permissions.query({ name: "midi" })).state === "granted";
  } catch {
    return false;
  }
}

async function access() {
  if (!navigator.requestMIDIAccess) throw new Error(NONE);
  try {
    return await navigator.requestMIDIAccess();
  } catch (error) {
    throw new Error(["SecurityError", "NotAllowedError"].includes(error.name) ? REFUSED : FAULT);
  }
}

/** Listens to all keyboards, those too that are plugged in later.
 * @param {(data: Uint8Array, time: number) => void} heard a message, and its time on the clock of
 *   `performance.now`
 * @param {(names: string[]) => void} told which keyboards there are, at once and at each change
 * @returns {Promise<() => void>} stops listening */
export async function listen(heard, told) {
  const midi = await access();
  const plugged = () => [...midi.inputs.values()].filter((input) => input.state !== "disconnected");
  const plug = () => {
    for (const input of plugged()) input.onmidimessage = ({ data, timeStamp }) => heard(data, timeStamp);
    told(plugged().map((input) => input.name || "a MIDI keyboard"));
  };
  midi.onstatechange = plug;
  plug();
  return () => {
    midi.onstatechange = null;
    for (const input of midi.inputs.values()) input.onmidimessage = null;
  };
}
