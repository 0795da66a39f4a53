"""MIDI keyboards at the page: a browser's Web MIDI is made up before the page loads."""

from __future__ import annotations

import json

import pytest
from pages import Visitor

FAKE = """
  window.keyboards = new Map();
  window.midi = {inputs: window.keyboards, outputs: new Map(), onstatechange: null};
  window.plug = (name, state = 'connected') => {
    const input = window.keyboards.get(name) ?? {name, state, onmidimessage: null};
    input.state = state;
    window.keyboards.set(name, input);
    window.midi.onstatechange?.({port: input});
  };
  window.send = (name, at, ...data) =>
    window.keyboards.get(name).onmidimessage?.({data: new Uint8Array(data), timeStamp: at});
  navigator.requestMIDIAccess = async () => window.midi;
"""
REFUSES = """
  navigator.requestMIDIAccess = async () => { throw new DOMException('no', 'NotAllowedError'); };
"""
FAILS = "navigator.requestMIDIAccess = async () => { throw new DOMException('x', 'AbortError'); };"
ABSENT = "Navigator.prototype.requestMIDIAccess = undefined;"


def begin(visitor: Visitor, script: str) -> None:
    """Open the window with the piano in a browser that a script has changed."""
    visitor.page.add_init_script(script)
    visitor.open()
    visitor.click("Play it…")


def listening(visitor: Visitor, words: str) -> None:
    visitor.page.get_by_role("status").filter(has_text=words).wait_for()


def send(visitor: Visitor, *messages: tuple[float, int, int, int], name: str = "Piano") -> None:
    """Messages with their times in milliseconds."""
    script = "([name, messages]) => messages.forEach((m) => window.send(name, ...m))"
    visitor.ask(script, [name, [list(message) for message in messages]])


def opening(visitor: Visitor) -> list[tuple[int, int, float, float]]:
    """Pitch, velocity, beginning and length in seconds of the notes that become the opening."""
    before = json.dumps(visitor.state("shown"))  # another test's, if it came first
    visitor.click("Go on from this")
    visitor.page.get_by_text("Goes on from Played").wait_for()
    visitor.until(f"studio.store.state.shown !== {before} && studio.shownScore()")
    return [
        (n["pitch"], n["velocity"], round(n["start"], 2), round(n["stop"] - n["start"], 2))
        for n in visitor.score()["notes"]
    ]


def begin_with_a_keyboard(visitor: Visitor) -> None:
    begin(visitor, FAKE)
    visitor.ask("window.plug('Piano')")
    visitor.click("Use a MIDI keyboard")
    listening(visitor, "Listening to Piano.")


def test_what_is_played_becomes_the_opening(visitor: Visitor) -> None:
    begin_with_a_keyboard(visitor)
    send(
        visitor,
        (1000, 0x90, 60, 100), (1500, 0x80, 60, 0),  # off
        (1500, 0x90, 64, 80), (1750, 0x90, 64, 0),  # off as on without velocity
        (1750, 0x9F, 67, 60), (2750, 0x8F, 67, 0),  # the last channel
        (1800, 0xE0, 0, 64), (1800, 0xF8, 0, 0),  # bend and clock are nothing here
    )  # fmt: skip
    listening(visitor, "3 notes: C4 E4 G4")
    assert opening(visitor) == [
        (60, 100, 0.0, 0.5), (64, 80, 0.5, 0.25), (67, 60, 0.75, 1.0),
    ]  # fmt: skip


def test_the_pedal_holds_what_fingers_let_go(visitor: Visitor) -> None:
    begin_with_a_keyboard(visitor)
    send(
        visitor,
        (1000, 0xB0, 64, 127), (1000, 0x90, 48, 90), (1200, 0x80, 48, 0),
        (1500, 0x90, 52, 90), (3000, 0xB0, 64, 0), (3500, 0x80, 52, 0),
    )  # fmt: skip
    assert opening(visitor) == [(48, 90, 0.0, 2.0), (52, 90, 0.5, 2.0)]


def test_keyboards_are_plugged_in_and_out(visitor: Visitor) -> None:
    begin(visitor, FAKE)
    visitor.click("Use a MIDI keyboard")
    listening(visitor, "plug one in")
    assert visitor.ask("document.activeElement.closest('.piano') !== null")
    visitor.ask("window.plug('Piano')")
    visitor.ask("window.plug('Stage')")
    listening(visitor, "Listening to Piano and Stage.")
    send(visitor, (1000, 0x90, 60, 90), (1500, 0x80, 60, 0))
    send(visitor, (1500, 0x93, 72, 90), name="Stage")
    assert visitor.page.locator(".piano .down").count() == 1
    visitor.ask("window.plug('Stage', 'disconnected')")
    listening(visitor, "Listening to Piano.")
    assert visitor.page.locator(".piano .down").count() == 0
    assert [note[0] for note in opening(visitor)] == [60, 72]
    assert visitor.ask("window.keyboards.get('Piano').onmidimessage") is None
    assert visitor.ask("window.midi.onstatechange") is None


@pytest.mark.parametrize(
    ("script", "words"),
    [(REFUSES, "not allowed for this page"), (FAILS, "cannot be reached"),
     (ABSENT, "This browser cannot listen")],
)  # fmt: skip
def test_without_midi_it_is_said_and_the_keys_still_play(
    visitor: Visitor, script: str, words: str
) -> None:
    begin(visitor, script)
    visitor.click("Use a MIDI keyboard")
    listening(visitor, words)
    visitor.press("a")
    listening(visitor, "1 note: C4")


def test_the_policy_of_the_page_lets_it_listen(visitor: Visitor) -> None:
    visitor.open()
    assert visitor.ask("document.featurePolicy.allowsFeature('midi')") is True
    assert visitor.ask("document.featurePolicy.allowsFeature('microphone')") is False
    assert visitor.ask("typeof navigator.requestMIDIAccess") == "function"
