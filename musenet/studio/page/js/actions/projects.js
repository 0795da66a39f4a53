/**
 * Projects: what is open, kept as one works, and there after a reload.
 * @module
 */

import * as api from "../api.js";
import { decoded } from "../core/prompt.js";
import { viewOf } from "../core/state.js";
import { cut } from "../core/words.js";
import { goOn } from "./composing.js";

const PAUSE = 500;
const LOADING = 2000;
const LONGEST_NAME = 120;

/** Loads what the page needs, then the project of the address, or the latest. */
export async function boot(app) {
  const [about, instruments, openings, projects] = await Promise.all([
    api.about(), api.instruments(), api.openings(), api.projects(),
  ]);
  app.store.change("catalogue", {
    about,
    openings,
    instruments: instruments.instruments,
    drumKeys: Object.fromEntries(instruments.drum_keys.map(({ key, name }) => [key, name])),
  });
  app.store.change("projects", projects);
  const asked = addressed();
  const form = asked.has("compose") ? decoded(asked.get("compose")) : null;
  const known = projects.find((project) => project.id === asked.get("project")) ?? projects[0];
  if (known && !form) await open(app, known.id, asked.get("node"));
  if (form) app.store.change("form", form);
  if (asked.has("compose") && !form) app.fail(new Error("That link does not tell what to compose: copy it once more, whole."));
  await learnStyles(app);
  if (!about.model) awaitModel(app);
}

/** Asks until the model is loaded: without it the server knows neither works nor places of styles. */
async function awaitModel(app) {
  const about = await api.about().catch(() => null);
  if (!about?.model) return setTimeout(() => awaitModel(app), LOADING);
  app.store.change("catalogue", { about });
  await app.attempt(() => learnStyles(app));
}

/** Reads the styles again: those of one's own come and go. */
export async function learnStyles(app) {
  const styles = await api.styles();
  if (JSON.stringify(styles) !== JSON.stringify(app.store.state.styles)) app.store.change("catalogue", { styles });
}

const addressed = () => new URLSearchParams(location.hash.slice(1));

/** Opens a project, at a node if one is named. */
export async function open(app, id, node) {
  app.player.use(null);
  const project = await api.project(id);
  app.store.change("project", project);
  if (node && project.tree.some((other) => other.id === node)) app.store.change("show", node);
  const going = (await api.compositions(id)).find(({ state }) => state === "queued" || state === "running");
  if (going) goOn(app, going);
}

/** The open project's id; a new project where none is open. */
export async function ensure(app) {
  const { project, form } = app.store.state;
  if (project) return project.id;
  const made = await api.newProject(nameFor(form));
  app.store.change("project", { ...made, view: { form } });
  return made.id;
}

const nameFor = (form) => {
  const styles = Object.keys(form.styles).slice(0, 2).join(" and ");
  return styles ? cut(styles.charAt(0).toUpperCase() + styles.slice(1), LONGEST_NAME) : "New music";
};

/** An empty project. */
export async function fresh(app) {
  const made = await api.newProject("New music");
  await open(app, made.id);
  app.store.change("tab", "compose");
}

/** Another name for the open project. */
export async function rename(app, name) {
  const { project } = app.store.state;
  if (!name.trim() || name === project.name) return;
  await api.changeProject(project.id, { name: name.trim() });
  app.store.change("renamed", name.trim());
}

/** Deletes a project; the notice can bring it back. */
export async function remove(app, project) {
  const leaves = app.store.state.project?.id === project.id;
  if (leaves) app.store.change("project", null); // or its view might still be saved
  await api.deleteProject(project.id);
  await list(app);
  const next = app.store.state.projects[0];
  if (leaves && next) await open(app, next.id);
  app.say(`“${project.name}” is deleted.`, {
    label: "Undo",
    act: async () => {
      await api.restoreProject(project.id);
      await list(app);
      await open(app, project.id);
    },
  });
}

/** Reads the list of projects again. */
export const list = async (app) => app.store.change("projects", await api.projects());

/** Keeps the view of the open project on the server, a moment after each change. */
export function keepView(app) {
  let timer = 0;
  let last = "";
  const save = async () => {
    timer = 0;
    const { state } = app.store;
    if (!state.project || JSON.stringify(viewOf(state)) === last) return;
    last = JSON.stringify(viewOf(state));
    await api.changeProject(state.project.id, { view: viewOf(state) });
  };
  const later = ({ project }) => {
    if (!project) return;
    clearTimeout(timer);
    timer = setTimeout(() => app.attempt(save), PAUSE);
  };
  app.store.watch((state) => [state.project?.id, state.shown, state.form, state.mixer, state.folded], later);
  document.addEventListener("visibilitychange", () => document.hidden && timer && app.attempt(save));
  app.store.watch((state) => [state.project?.id, state.shown], address);
}

function address({ project, shown }) {
  if (!project) return;
  const parts = new URLSearchParams({ project: project.id, ...(shown && { node: shown }) });
  history.replaceState(null, "", `#${parts}`);
}
