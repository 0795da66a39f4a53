"""When something goes wrong, or comes twice, the page goes on."""

from __future__ import annotations

import json

import httpx
import pytest
from music import melody
from pages import Visitor, composed, dropped
from playwright.sync_api import Page, Route

from musenet.midi import to_bytes


def test_an_edit_that_is_not_stored_does_not_keep_the_next_ones(reader: Visitor) -> None:
    first = reader.score()["notes"][0]["pitch"]
    reader.press("e", "n")
    reader.page.context.set_offline(True)
    reader.press("ArrowUp", "ArrowUp")
    reader.until("studio.store.state.saving === 'unsaved'")
    assert "does not answer" in reader.page.get_by_role("alert").inner_text()
    reader.until("studio.store.state.history.past.length === 0")
    assert reader.state("history.future") == []
    reader.page.context.set_offline(False)
    reader.press("ArrowUp")
    reader.stored()
    assert reader.score()["notes"][0]["pitch"] == first + 3
    reader.press("Control+z")
    reader.until("studio.store.state.history.future.length === 1")
    assert reader.score()["notes"][0]["pitch"] == first
    reader.complaints.clear()


def test_an_edit_that_is_refused_is_not_offered_again(reader: Visitor) -> None:
    before = reader.score()["notes"]
    reader.ask("""() => { const score = studio.shownScore();
      const notes = score.notes.map((note) => ({...note, pitch: 500}));
      studio.commit({score: {...score, notes}, chosen: []}); }""")
    reader.stored()
    assert reader.page.get_by_role("alert").inner_text()
    assert reader.state("history") == {"past": [], "future": []}
    assert reader.ask("studio.shownScore().notes.map((note) => note.pitch)") == [
        note["pitch"] for note in before
    ]
    reader.complaints.clear()


def test_a_step_that_cannot_be_taken_back_does_not_block_others(
    reader: Visitor, address: str
) -> None:
    label = reader.page.get_by_label("Label of this version")
    label.fill("Fine")
    label.press("Enter")
    reader.until("studio.store.state.nodes[0].label === 'Fine'")
    reader.ask("document.activeElement.blur()")
    reader.press("e", "n", "ArrowUp")
    reader.stored()
    httpx.post(f"{address}/v1/nodes/{reader.state('shown')}/undo").raise_for_status()
    reader.press("Control+z")
    reader.until("studio.store.state.history.past.length === 1")
    assert "undo" in reader.page.get_by_role("alert").inner_text()
    assert reader.state("history.future") == []
    reader.press("Control+z")
    reader.until("studio.store.state.nodes[0].label === 'Tune'")
    reader.complaints.clear()


def test_two_clicks_compose_once(reader: Visitor) -> None:
    asked = []
    reader.page.on("request", lambda one: asked.append(one.url) if one.method == "POST" else None)
    form = {"candidates": 1, "minutes": 0.1, "styles": {}, "instruments": [], "opening": None}
    reader.ask("(form) => studio.store.change('form', form)", form)
    reader.page.locator(".primary", has_text="Compose").dblclick()
    composed(reader, 2)
    reader.page.get_by_label("Add a part").evaluate(
        """(select) => { for (const name of ['cello', 'flute']) {
          select.value = name; select.dispatchEvent(new Event('change')); } }"""
    )
    composed(reader, 3)
    assert [url.rsplit("/", 1)[1] for url in asked] == ["compositions", "arrangements"]


def test_what_is_being_typed_is_composed(reader: Visitor) -> None:
    form = {"candidates": 1, "minutes": 0.1, "styles": {}, "instruments": ["piano"]}
    reader.ask("(form) => studio.store.change('form', form)", form)
    reader.page.locator("summary", has_text="More").click()
    seed = reader.page.get_by_label("Seed")
    seed.fill("abc")
    reader.page.locator("summary", has_text="More").click()
    reader.ask("document.activeElement.blur()")
    reader.press("Control+Enter")
    reader.until("document.activeElement.id === 'seed'")
    assert reader.state("job") is None
    seed.fill("41")
    reader.press("Control+Enter")
    (node,) = composed(reader, 2)
    assert node["recipe"]["seed"] == 41


def test_a_form_goes_on_from_no_node_of_elsewhere(reader: Visitor) -> None:
    opening = {"kind": "node", "id": reader.state("shown"), "title": "Tune", "bar": None}
    reader.ask("(opening) => studio.store.change('form', {opening})", opening)
    reader.click("Projects")
    reader.click("New project")
    reader.until("studio.store.state.nodes.length === 0")
    assert reader.state("form.opening") is None


def test_a_form_goes_on_from_nothing_that_is_deleted(reader: Visitor) -> None:
    opening = {"kind": "node", "id": reader.state("shown"), "title": "Tune", "bar": None}
    reader.ask("(opening) => studio.store.change('form', {opening})", opening)
    reader.page.locator("#versions").get_by_role("button", name="Delete").click()
    reader.until("studio.store.state.nodes.length === 0")
    assert reader.state("form.opening") is None


def test_a_long_piece_is_gone_on_from_by_what_the_server_takes(
    visitor: Visitor, address: str
) -> None:
    visitor.open()
    dropped(visitor, "🎵" * 150 + ".mid", to_bytes(melody(2, 440, bpm=60.0)))
    visitor.page.get_by_text("Goes on from 🎵").wait_for()
    assert visitor.state("nodes.at(-1).label") == "🎵" * 120
    seconds = visitor.state("nodes.at(-1).seconds")
    assert seconds > 300
    assert seconds < 0.9 * 60 * visitor.state("form.minutes")
    visitor.ask("studio.store.change('form', {candidates: 1, styles: {}, instruments: []})")
    with visitor.page.expect_response("**/v1/compositions") as answer:
        visitor.press("Control+Enter")
    assert answer.value.status == 202
    httpx.delete(f"{address}/v1/compositions/{answer.value.json()['id']}")
    visitor.until("studio.store.state.job === null")


AGAIN = """async (broken) => {
  const { Player } = await import('/js/sound/player.js');
  const { PieceSource } = await import('/js/sound/stems.js');
  const stems = {segments: 2, segment_seconds: 6, overlap_seconds: 0.02, seconds: 12,
    stems: ['0', '1'].map((part) =>
      ({instrument: part, url: `/part/${part}/{segment}`, gain: 1, silent: []}))};
  let away = new RegExp(broken);
  globalThis.fetch = async (path) => away.test(path) ? new Response('{}', {status: 503})
    : path.endsWith('/stems') ? Response.json(stems) : new Response('');
  const [states, told] = [[], []];
  const player = new Player((state) => states.push(state), (error) => told.push(error.status));
  player.context = {state: 'running', currentTime: 0, decodeAudioData: async () => ({})};
  const source = new PieceSource(player, {id: 'n', seconds: 12}, () => {});
  source.schedule = () => {};
  player.use(source);
  const until = async (state) => {
    for (let turn = 0; turn < 100 && states.at(-1) !== state; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  player.play();
  await until('stopped');
  away = /nothing/;
  player.play();
  await until('playing');
  player.pause();
  return [states, told];
}"""


@pytest.mark.parametrize("broken", ["/stems$", "^/part/", "^/part/1"])
def test_sound_that_failed_is_asked_for_again(modules: Page, broken: str) -> None:
    states, told = modules.evaluate(AGAIN, broken)
    assert states == ["loading", "stopped", "loading", "playing", "stopped"]
    assert told == [503]


PARTS = """async (parts) => {
  const { PieceSource } = await import('/js/sound/stems.js');
  const seen = [];
  globalThis.fetch = async (path) => {
    seen.push(path);
    return path.endsWith('/stems') ? Response.json(STEMS(parts)) : new Response('');
  };
  const STEMS = (count) => ({segments: 40, segment_seconds: 6, overlap_seconds: 0.02, seconds: 240,
    stems: Array.from({length: count}, (_, part) =>
      ({instrument: String(part), url: `/${part}/{segment}`, gain: 1, silent: []}))});
  const context = {decodeAudioData: async () => ({})};
  const source = new PieceSource({context, mix: null}, {id: 'n', seconds: 240}, () => {});
  const rest = () => new Promise((resolve) => setTimeout(resolve, 300));
  const counts = [];
  for (const second of [5, 120, 5]) {
    seen.length = 0;
    source.fetchFrom(second);
    await rest();
    counts.push([seen.filter((path) => !path.endsWith('/stems')).length, source.ready(second)]);
  }
  return counts;
}"""


@pytest.mark.parametrize("parts", [2, 24])
def test_many_parts_are_fetched_once(modules: Page, parts: int) -> None:
    """From second 5 on segments 0 to 3 are needed, from 120 on 20 to 22, and then the old again."""
    assert modules.evaluate(PARTS, parts) == [[4 * parts, True], [3 * parts, True], [0, True]]


def test_a_page_that_is_early_asks_until_the_model_is_there(visitor: Visitor) -> None:
    late = [False]

    def told(route: Route) -> None:
        body = route.fetch().json()
        model = body["model"] if late[0] else None
        route.fulfill(body=json.dumps({**body, "model": model}), content_type="application/json")

    styles = []
    visitor.page.on("request", lambda one: styles.append(one.url) if "styles" in one.url else None)
    visitor.page.route("**/v1/about", told)
    visitor.open()
    visitor.click("Style map")
    assert "still being loaded" in visitor.page.get_by_role("dialog").inner_text()
    visitor.press("Escape")
    before = len(styles)
    late[0] = True
    visitor.until("studio.store.state.about.model")
    visitor.page.wait_for_timeout(100)
    assert len(styles) > before
