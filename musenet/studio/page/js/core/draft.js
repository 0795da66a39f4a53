/**
 * A composition while it is made: events in, candidates that grow out.
 * @module
 *
 * @typedef {{notes: object[], tempos: object[], metres: object[], seconds: number,
 *   rank: number | null, node: string | null}} Draft
 * @typedef {{id: string, parent: string | null, state: string, position: number | null,
 *   wait: number | null, of: number, seconds: number, ticksPerBeat: number, error: string | null,
 *   drafts: Draft[]}} Job
 */

import { partsOf } from "./notes.js";
import { barsUpTo } from "./time.js";

const FRESH = { notes: [], tempos: [], metres: [], seconds: 0, rank: null, node: null };

/** A job as the server answered it. @returns {Job} */
export const begun = (composition) => ({
  id: composition.id,
  parent: composition.parent,
  state: composition.state,
  position: composition.position,
  wait: composition.wait_seconds,
  of: composition.of,
  seconds: 0,
  ticksPerBeat: 24,
  error: null,
  drafts: Array.from({ length: composition.candidates }, () => FRESH),
});

const replaced = (drafts, index, change) =>
  drafts.map((draft, place) => (place === index ? change(draft) : draft));

/** Notes with others, in order of onset; new ones mostly come behind all that are there. */
function inTime(notes, news) {
  const all = notes.concat(news);
  return notes.length && news.length && news[0].onset < notes.at(-1).onset ? all.sort((a, b) => a.onset - b.onset) : all;
}

const HEARD = {
  queued: (job, data) => ({ ...job, state: "queued", position: data.position, wait: data.wait_seconds }),
  started: (job, data) => ({
    ...job,
    state: "running",
    position: null,
    of: data.of,
    ticksPerBeat: data.ticks_per_beat,
    drafts: Array.from({ length: data.candidates }, () => FRESH),
  }),
  notes: (job, data) => ({
    ...job,
    drafts: replaced(job.drafts, data.candidate, (draft) => ({
      ...draft,
      notes: inTime(draft.notes, data.notes),
      tempos: draft.tempos.concat(data.tempos),
      metres: draft.metres.concat(data.metres),
      seconds: Math.max(draft.seconds, data.seconds),
    })),
  }),
  progress: (job, data) => ({ ...job, seconds: data.seconds, of: data.of }),
  candidate: (job, data) => ({
    ...job,
    drafts: replaced(job.drafts, data.candidate, (draft) => ({
      ...draft,
      rank: data.rank,
      node: data.node.id,
    })),
  }),
  end: (job, data) => ({ ...job, state: data.state, error: data.error }),
};

/** A job after an event. @param {Job} job @returns {Job} */
export const heard = (job, name, data) => HEARD[name]?.(job, data) ?? job;

/** Whether nothing more will come. */
export const isOver = (job) => !["queued", "running"].includes(job.state);

/** A draft as a score that can be drawn and played. */
export function draftScore(job, draft, colours) {
  const tempos = draft.tempos.length ? draft.tempos : [{ tick: 0, bpm: 120, start: 0 }];
  const metres = draft.metres.length ? draft.metres : [{ tick: 0, numerator: 4, denominator: 4 }];
  const order = Object.keys(colours);
  const parts = partsOf(draft.notes, []).map((part) => ({ ...part, colour: colours[part.instrument] }));
  const last = draft.notes.reduce((end, note) => Math.max(end, note.onset + note.duration), 0);
  return {
    revision: 0,
    ticks_per_beat: job.ticksPerBeat,
    notes: draft.notes,
    tempos,
    metres,
    end: last,
    seconds: Math.max(job.of, draft.seconds),
    composed: draft.seconds,
    bars: barsUpTo(metres, tempos, job.ticksPerBeat, last),
    parts: parts.sort((a, b) => order.indexOf(a.instrument) - order.indexOf(b.instrument)),
  };
}

/** How far a job is, in words. */
export function progressWords(job) {
  if (job.state === "queued") {
    if (!job.position) return "Starting";
    const wait = job.wait ? `, about ${Math.ceil(job.wait)} s` : "";
    return `Waiting behind ${job.position}${wait}`;
  }
  const share = Math.min(100, Math.round((100 * job.seconds) / Math.max(job.of, 0.1)));
  return `Composing ${share} %`;
}
