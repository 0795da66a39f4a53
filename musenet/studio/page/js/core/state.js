/**
 * The state of the page and everything that changes it, as pure functions.
 * @module
 */

import { begun, heard } from "./draft.js";
import { dropped, EMPTY, done, redone, undone } from "./history.js";
import { mixed } from "./mixer.js";
import { BLANK, sound } from "./prompt.js";
import { merged } from "./tree.js";

/** The page before anything is loaded. */
export const INITIAL = {
  about: null,
  styles: [],
  instruments: [],
  drumKeys: {},
  openings: [],
  projects: [],
  project: null,
  nodes: [],
  scores: {},
  shown: null,
  compared: null,
  side: "a",
  job: null,
  draft: null,
  form: BLANK,
  mixer: {},
  folded: [],
  editing: false,
  grid: 4,
  pen: null,
  chosen: [],
  region: null,
  history: EMPTY,
  playing: "stopped",
  tab: "compose",
  notice: null,
  saving: "saved",
};

const resting = { chosen: [], region: null };

/** A form that goes on from none but a node that is there. */
const rooted = (form, nodes) =>
  form.opening?.kind !== "node" || nodes.some((node) => node.id === form.opening.id) ? form : { ...form, opening: null };

const CHANGES = {
  catalogue: (state, catalogue) => ({ ...state, ...catalogue }),
  projects: (state, projects) => ({ ...state, projects }),
  project: (state, opened) => {
    const { tree = [], view, ...project } = opened ?? {};
    return {
      ...state,
      ...resting,
      project: opened && project,
      nodes: tree,
      scores: {},
      compared: null,
      job: null,
      draft: null,
      history: EMPTY,
      shown: tree.some((node) => node.id === view?.shown) ? view.shown : (tree.at(-1)?.id ?? null),
      form: rooted(view?.form ? sound(view.form) : state.form, tree),
      mixer: view?.mixer ?? {},
      folded: view?.folded ?? [],
    };
  },
  renamed: (state, name) => ({ ...state, project: { ...state.project, name } }),
  nodes: (state, nodes) => ({ ...state, nodes: merged(state.nodes, nodes) }),
  only: (state, nodes) => ({ ...state, nodes, form: rooted(state.form, nodes) }),
  score: (state, { id, score }) => ({ ...state, scores: { ...state.scores, [id]: score } }),
  show: (state, id) =>
    id === state.shown && state.draft === null
      ? state
      : { ...state, ...resting, shown: id, draft: null, side: "a", compared: state.compared === id ? null : state.compared },
  compare: (state, id) => ({ ...state, ...resting, compared: id, side: "a", editing: id ? false : state.editing }),
  side: (state, side) => ({ ...state, side }),
  job: (state, composition) => ({ ...state, job: begun(composition), draft: null }),
  heard: (state, { name, data }) => {
    if (!state.job) return state;
    const first = name === "notes" && state.job.drafts.every((draft) => !draft.notes.length);
    const job = heard(state.job, name, data);
    return first ? { ...state, ...resting, job, draft: 0, compared: null, editing: false } : { ...state, job };
  },
  draft: (state, draft) => ({ ...state, ...resting, draft }),
  jobOver: (state) => ({ ...state, job: null, draft: null }),
  form: (state, change) => ({ ...state, form: { ...state.form, ...change } }),
  mixer: (state, { instrument, change }) => ({ ...state, mixer: mixed(state.mixer, instrument, change) }),
  fold: (state, id) => ({
    ...state,
    folded: state.folded.includes(id) ? state.folded.filter((other) => other !== id) : [...state.folded, id],
  }),
  editing: (state, editing) => ({ ...state, editing, chosen: editing ? state.chosen : [] }),
  pen: (state, pen) => ({ ...state, pen }),
  grid: (state, grid) => ({ ...state, grid }),
  choose: (state, chosen) => ({ ...state, chosen }),
  region: (state, region) => ({ ...state, region }),
  edited: (state, { id, score, chosen }) => ({ ...state, chosen, scores: { ...state.scores, [id]: score } }),
  did: (state, step) => ({ ...state, history: done(state.history, step) }),
  dropped: (state, step) => ({ ...state, history: dropped(state.history, step) }),
  undone: (state) => ({ ...state, history: undone(state.history) }),
  redone: (state) => ({ ...state, history: redone(state.history) }),
  playing: (state, playing) => ({ ...state, playing }),
  tab: (state, tab) => ({ ...state, tab }),
  notice: (state, notice) => ({ ...state, notice }),
  saving: (state, saving) => ({ ...state, saving }),
};

/** The state after a change. */
export function reduce(state, name, value) {
  return CHANGES[name](state, value);
}

/** What of the state a project keeps for the page. */
export const viewOf = ({ shown, form, mixer, folded }) => ({ shown, form, mixer, folded });
