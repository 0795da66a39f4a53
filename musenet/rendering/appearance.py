"""How instruments look on paper: their colours, and the names of drum keys."""

from __future__ import annotations

from collections.abc import Sequence

from musenet.instruments import DRUMS, INSTRUMENTS

COLOURS = {
    "red": "#d62839",
    "maroon": "#7a1027",
    "orange": "#f0701f",
    "brown": "#97512c",
    "salmon": "#f4ab93",
    "gold": "#e0a800",
    "ochre": "#a8820a",
    "olive": "#556b0f",
    "lime": "#86bc25",
    "green": "#2c9a4b",
    "pine": "#0b574b",
    "mint": "#5fd0a5",
    "teal": "#0e8f97",
    "sky": "#4bb4e6",
    "blue": "#2563d9",
    "navy": "#1c2f73",
    "lavender": "#a18ff0",
    "violet": "#7433b5",
    "magenta": "#d13fc0",
    "rose": "#f26aa5",
}
"""Twenty colours that are told apart on white."""

DRUM_COLOUR = "#565c70"

_INSTRUMENT_COLOUR = {
    "piano": "blue", "electric piano": "sky", "harpsichord": "teal", "celesta": "lavender",
    "vibraphone": "mint", "marimba": "brown", "bells": "gold", "organ": "navy",
    "accordion": "rose", "acoustic guitar": "orange", "electric guitar": "red",
    "distorted guitar": "maroon", "acoustic bass": "pine", "electric bass": "green",
    "synth bass": "olive", "violin": "red", "viola": "orange", "cello": "maroon",
    "contrabass": "brown", "strings": "salmon", "harp": "sky", "timpani": "navy",
    "choir": "lavender", "voice": "violet", "trumpet": "gold", "trombone": "ochre",
    "tuba": "olive", "horn": "magenta", "brass": "gold", "alto sax": "magenta",
    "tenor sax": "violet", "oboe": "green", "english horn": "teal", "bassoon": "pine",
    "clarinet": "lime", "piccolo": "mint", "flute": "teal", "recorder": "lime",
    "synth lead": "magenta", "synth pad": "lavender", "synth effects": "mint",
    "sitar": "ochre", "banjo": "lime", "bagpipes": "rose", "percussion": "olive",
    "sound effects": "rose",
}  # fmt: skip

_FIRST_DRUM_KEY = 27
_DRUM_KEYS = (
    "High Q", "Slap", "Scratch Push", "Scratch Pull", "Sticks", "Square Click",
    "Metronome", "Metronome Bell", "Low Bass Drum", "Bass Drum", "Side Stick", "Snare",
    "Hand Clap", "Electric Snare", "Low Floor Tom", "Closed Hi-Hat", "High Floor Tom",
    "Pedal Hi-Hat", "Low Tom", "Open Hi-Hat", "Low-Mid Tom", "High-Mid Tom", "Crash",
    "High Tom", "Ride", "Chinese Cymbal", "Ride Bell", "Tambourine", "Splash", "Cowbell",
    "Crash 2", "Vibraslap", "Ride 2", "High Bongo", "Low Bongo", "Mute Conga",
    "Open Conga", "Low Conga", "High Timbale", "Low Timbale", "High Agogo", "Low Agogo",
    "Cabasa", "Maracas", "Short Whistle", "Long Whistle", "Short Guiro", "Long Guiro",
    "Claves", "High Wood Block", "Low Wood Block", "Mute Cuica", "Open Cuica",
    "Mute Triangle", "Open Triangle", "Shaker", "Jingle Bell", "Bell Tree", "Castanets",
    "Mute Surdo", "Open Surdo",
)  # fmt: skip


def instrument_colours(instruments: Sequence[int]) -> dict[int, str]:
    """A colour (hexadecimal RGB) for each instrument id.

    An instrument has a colour of its own, the same in every piece; where two instruments of a
    piece share one, the later takes the next colour that is free.
    """
    free, result = list(COLOURS), {}
    for instrument in sorted(set(instruments) - {DRUMS}):
        name = _INSTRUMENT_COLOUR[INSTRUMENTS[instrument].name]
        if free and name not in free:
            name = free[0]
        if name in free:
            free.remove(name)
        result[instrument] = COLOURS[name]
    return result | ({DRUMS: DRUM_COLOUR} if DRUMS in instruments else {})


def drum_key_name(key: int) -> str:
    """The General MIDI (and GS) name of a drum key, or its number where it has none."""
    index = key - _FIRST_DRUM_KEY
    return _DRUM_KEYS[index] if 0 <= index < len(_DRUM_KEYS) else f"Key {key}"
