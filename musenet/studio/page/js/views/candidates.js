/**
 * Candidates side by side: while they are composed, and those of the piece that is shown.
 * @module
 */

import { draftScore } from "../core/draft.js";
import { titleOf, together } from "../core/tree.js";
import { isSound, reasonsOf } from "../core/verdict.js";
import { clock } from "../core/words.js";
import { h, icon, iconButton, refill } from "./dom.js";
import { paintSmall } from "./paint.js";

/** Fills the strip of candidates. */
export function candidatesView(app, element) {
  const { store } = app;
  let cards = [];
  let shape = "";
  const draw = (state) => {
    const models = state.job ? draftsOf(app, state) : nodesOf(state);
    element.hidden = models.length < 2 && !state.job;
    const next = models.map((model) => model.key).join();
    if (next !== shape) {
      shape = next;
      cards = models.map((model) => card(app, model));
      element.replaceChildren(...cards.map((made) => made.element));
    }
    models.forEach((model, index) => cards[index].update(model));
  };
  store.watch((state) => [state.job, state.draft, state.shown, state.nodes, state.scores, state.playing], draw);
  return () => draw(store.state);
}

function draftsOf(app, { job, draft, playing }) {
  return job.drafts.map((made, index) => ({
    key: `${job.id}/${index}`, letter: letterOf(index), on: draft === index, playing: draft === index && playing !== "stopped",
    says: [made.rank ? `rank ${made.rank}` : clock(made.seconds)], best: made.rank === 1, passed: null,
    score: () => draftScore(job, made, app.colours), stamp: made.notes.length, show: () => app.store.change("draft", index),
  }));
}

function nodesOf(state) {
  const node = state.nodes.find((other) => other.id === state.shown);
  return together(state.nodes, node).map((other) => ({
    key: other.id, letter: letterOf(other.candidate ?? 0), on: other.id === state.shown,
    playing: other.id === state.shown && state.playing !== "stopped", best: other.rank === 1,
    says: [other.rank === 1 ? "best" : `rank ${other.rank}`, clock(other.seconds)],
    passed: other.verdict ? isSound(other) : null, score: () => state.scores[other.id], node: other,
    reasons: reasonsOf(other).map((reason) => reason.says), stamp: state.scores[other.id]?.revision ?? 0, title: titleOf(other),
  }));
}

const letterOf = (index) => String.fromCharCode(65 + index);

function card(app, { letter }) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const says = h("span", { class: "quiet" });
  const mark = h("span", { class: "mark" });
  let model = null;
  let stamp = null;
  const show = () => (model.node ? app.show(model.node.id) : model.show());
  const choose = h("button", { type: "button", class: "card-face", "data-key": `card ${letter}`, onclick: show }, h("strong", {}, letter), says, mark, canvas);
  const play = h("span", { class: "card-play" });
  const element = h("li", { class: "card" }, choose, play);
  return {
    element,
    update(next) {
      model = next;
      element.classList.toggle("on", model.on);
      element.classList.toggle("best", model.best);
      refill(says, ...model.says.map((words, place) => h("span", {}, place ? ` · ${words}` : words)));
      choose.setAttribute("aria-pressed", String(model.on));
      choose.setAttribute("aria-label", `Candidate ${letter}, ${model.says.join(" · ")}`);
      refill(mark, model.passed === null ? [] : [icon(model.passed ? "check" : "warn")]);
      mark.classList.toggle("bad", model.passed === false);
      mark.title = (model.reasons ?? []).join("; ");
      refill(play, iconButton(model.playing ? "pause" : "play", `${model.playing ? "Pause" : "Play"} candidate ${letter}`, () => {
        if (!model.on) show();
        app.toggle(model.on ? undefined : true);
      }));
      const score = model.score();
      if (score && stamp !== model.stamp && canvas.clientWidth) {
        stamp = model.stamp;
        paintSmall(canvas, score, app.coloursOf(score));
      }
    },
  };
}
