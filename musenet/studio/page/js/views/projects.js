/**
 * The list of projects, and the name of the open one.
 * @module
 */

import * as projects from "../actions/projects.js";
import * as api from "../api.js";
import { ago, count } from "../core/words.js";
import { button, dialog, h, icon, iconButton, refill } from "./dom.js";

const SAVING = { saved: "Saved", saving: "Saving…", unsaved: "Not saved" };

/** Fills the place of the open project in the header. */
export function projectView(app, element) {
  const name = h("input", { class: "project-name", "aria-label": "Name of the project", maxlength: 120, onchange: () => app.attempt(() => projects.rename(app, name.value)) });
  const saving = h("span", { class: "quiet saving", role: "status" });
  element.append(h("button", { type: "button", class: "list-button", onclick: () => app.attempt(() => projectsDialog(app)) }, "Projects", icon("down")), name, saving);
  app.store.watch((state) => [state.project?.name, state.project?.id], ({ project }) => {
    name.hidden = !project;
    name.value = project?.name ?? "";
    document.title = project ? `${project.name} · musenet` : "musenet";
  });
  app.store.watch((state) => [state.saving, state.project?.id], ({ saving: how, project }) => {
    saving.textContent = project ? SAVING[how] : "";
  });
}

async function projectsDialog(app) {
  await projects.list(app);
  const list = h("ul", { class: "projects" });
  const window_ = dialog("Projects", list,
    h("footer", {}, button("New project", () => { window_.close(); app.attempt(() => projects.fresh(app)); }, { class: "primary" })));
  const draw = () => refill(list, app.store.state.projects.length
    ? app.store.state.projects.map((project) => row(app, project, window_, draw))
    : h("li", { class: "quiet" }, "No project yet: compose something and it is kept here."));
  draw();
}

function row(app, project, window_, draw) {
  const on = project.id === app.store.state.project?.id;
  const open = () => { window_.close(); app.attempt(() => projects.open(app, project.id)); };
  const copy = async () => { await api.duplicateProject(project.id); await projects.list(app); draw(); };
  const remove = async () => { await projects.remove(app, project); draw(); };
  return h("li", { class: on ? "on" : "" },
    h("button", { type: "button", class: "project", "aria-current": on ? "true" : null, onclick: open },
      h("strong", {}, project.name), h("span", { class: "quiet" }, `${count(project.nodes, "version")} · ${ago(project.changed, Date.now() / 1000)}`)),
    button("Copy", () => app.attempt(copy), { class: "chip plain", "aria-label": `Copy ${project.name}` }),
    iconButton("close", `Delete ${project.name}`, () => app.attempt(remove)));
}
