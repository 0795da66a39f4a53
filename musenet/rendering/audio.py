"""Audio of a piece: MIDI through a SoundFont synthesizer into a sound file.

Everything comes from pip packages: the synthesizer from `midirenderer`, the General MIDI
SoundFont (TimGM6mb) from the wheel of `pretty_midi`, the encoders from `soundfile`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import midirenderer
import numpy as np
import soundfile

from musenet.errors import UserError
from musenet.files import write_atomically
from musenet.midi import smf
from musenet.midi.reading import score_of
from musenet.midi.smf import Message
from musenet.midi.writing import changes, in_order
from musenet.rendering.resampling import Sound, resample
from musenet.rendering.writing import suffix_of
from musenet.score import DEFAULT_BPM, TEMPO, Score, records

FORMATS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
"""Format and encoding of each suffix that can be written."""
SAMPLE_RATES = (16000, 22050, 24000, 32000, 44100, 48000)
"""Sample rates in Hz that all the formats know."""
LONGEST = 3780.0
"""Longest piece that is rendered, in seconds; an hour takes about 4 GB of memory.

It is the longest that is composed: an hour and a twentieth.
"""

_PEAK = 10 ** (-1 / 20)
"""Loudest sample: -1 dB of full scale, since MP3 and Vorbis overshoot a little."""
_MOST_GAIN = 100.0
"""40 dB; more would only raise the noise of the synthesizer's 16 bits."""
_LEVELS = (1.0, 0.5, 0.25)
"""Channel volumes to try; half is 12 dB less."""
_CLIPPED = 32767 / 32768
_QUIET = 1e-3
"""What is 60 dB below the peak counts as silence."""
_TAIL = 4
"""Seconds rendered after the last note: release and reverberation."""
_FADE = 0.5
"""Seconds of silence that stay at least, faded out."""
_LONGEST_SILENCE = 2.0
"""Seconds of silence that stay at most."""
_BLOCK = 65536
"""Samples encoded at once: libsndfile's Vorbis encoder overflows its stack on long writes."""
_VOLUME, _DEFAULT_VOLUME = 7, 100


@dataclass(frozen=True)
class _Piece:
    """What sounds of a MIDI file.

    Attributes:
        score: its music, in the file's own ticks.
        messages: its channel messages, rising in tick, up to the end of the tail.
        end: tick at which the tail ends.
    """

    score: Score
    messages: Sequence[Message]
    end: int

    @property
    def channels(self) -> tuple[int, ...]:
        used = {m[0] & 0x0F for _, m in self.messages if m[0] & 0xF0 == smf.NOTE_ON}
        return tuple(sorted(used))

    def midi(self, level: float) -> bytes:
        """A one-track file with all channel volumes times `level`, and room for the tail."""
        volume = round(_DEFAULT_VOLUME * level)
        volumes = [(0, bytes([smf.CONTROL | c, _VOLUME, volume])) for c in self.channels]
        tempos = [*self.score.tempos.tolist(), (self.score.end, DEFAULT_BPM)]
        timed = changes(replace(self.score, tempos=records(TEMPO, tempos)))
        levelled = [(tick, _at_level(message, level)) for tick, message in self.messages]
        track = in_order([*volumes, *timed, *levelled])
        return smf.file_bytes(0, self.score.ticks_per_beat, [track], [self.end])


def render(score_midi: bytes, *, sample_rate: int = 44100, soundfont: Path | None = None) -> Sound:
    """The sound of a Standard MIDI File.

    Args:
        score_midi: the file's bytes.
        sample_rate: in Hz, one of `SAMPLE_RATES`.
        soundfont: an SF2 file; by default the one that comes with the installation.

    Returns:
        Stereo of shape (samples, 2), its peak at -1 dB of full scale (silence stays silence).
        It ends when the last note has died away, with at most two seconds of silence.

    Raises:
        UserError: the MIDI or the SoundFont cannot be used, the piece is too long, or the
            sample rate is none of those offered.
    """
    if sample_rate not in SAMPLE_RATES:
        rates = ", ".join(map(str, SAMPLE_RATES))
        raise UserError(f"sample rate {sample_rate} is not offered: choose one of {rates}")
    font = read_soundfont(soundfont)
    piece = _parse(score_midi)
    seconds = piece.score.seconds
    if seconds > LONGEST:
        raise UserError(
            f"the piece lasts {seconds / 60:.0f} minutes: audio is made of at most "
            f"{LONGEST / 60:.0f}, so cut it first"
        )
    sound, rate = _synthesize(font, piece)
    return resample(_finish(sound, rate), rate, sample_rate)


def synthesize(
    score_midi: bytes, *, level: float = 1.0, soundfont: Path | None = None
) -> tuple[Sound, int]:
    """The sound of a Standard MIDI File as the synthesizer makes it, not levelled.

    What is made at one level fits together.

    Args:
        score_midi: the file's bytes.
        level: what channel volumes are multiplied by; half is 12 dB less.
        soundfont: as for `render`.

    Returns:
        Stereo of shape (samples, 2) with what dies away after the last note, and its sample rate.

    Raises:
        UserError: the MIDI or the SoundFont cannot be used.
    """
    font = read_soundfont(soundfont)
    return _wave(font, _parse(score_midi).midi(level))


def save_audio(
    midi: bytes, path: Path, *, sample_rate: int = 44100, soundfont: Path | None = None
) -> None:
    """Render a Standard MIDI File into a WAV, FLAC, OGG (Vorbis) or MP3 file, by suffix.

    The arguments are those of `render`. The file is written whole or not at all.

    Raises:
        UserError: another suffix, a path that cannot be written, or what `render` raises.
    """
    suffix = suffix_of(path, FORMATS, "audio")
    sound = render(midi, sample_rate=sample_rate, soundfont=soundfont)
    write_atomically(path, encode(sound, sample_rate, suffix))


def encode(sound: Sound, sample_rate: int, suffix: str) -> bytes:
    """Sound of shape (samples, channels) as the bytes of a file, `suffix` one of `FORMATS`."""
    name, encoding = FORMATS[suffix]
    buffer = io.BytesIO()
    with soundfile.SoundFile(
        buffer, "w", sample_rate, channels=sound.shape[1], format=name, subtype=encoding
    ) as file:
        for first in range(0, len(sound), _BLOCK):
            file.write(sound[first : first + _BLOCK])
    return buffer.getvalue()


def default_soundfont() -> Path:
    """The General MIDI SoundFont in the wheel of `pretty_midi`, which is not imported.

    Raises:
        UserError: it is not installed.
    """
    package = find_spec("pretty_midi")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        found = Path(folder) / "TimGM6mb.sf2"
        if found.is_file():
            return found
    raise UserError("no SoundFont: install pretty_midi, which carries one, or give --soundfont")


def read_soundfont(soundfont: Path | None) -> bytes:
    """The bytes of a SoundFont, by default of the one that comes with the installation.

    Raises:
        UserError: it cannot be read, or is none.
    """
    path = soundfont or default_soundfont()
    try:
        font = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read the SoundFont {path}: {error.strerror}") from error
    if (font[:4], font[8:12]) != (b"RIFF", b"sfbk"):
        raise UserError(f"{path} is no SoundFont: give an .sf2 file")
    return font


def _parse(midi: bytes) -> _Piece:
    """The music of a file, and what its channels are told up to the end of the tail."""
    file = smf.read(midi)
    score = score_of(file)
    end = score.end + round(_TAIL * DEFAULT_BPM / 60 * score.ticks_per_beat)
    rows = (row for track in file.tracks for row in track.messages(end))
    return _Piece(score, in_order(row for row in rows if row[1][0] < smf.SYSEX), end)


def _at_level(message: bytes, level: float) -> bytes:
    if message[0] & 0xF0 == smf.CONTROL and message[1] == _VOLUME:
        return bytes([*message[:2], round(message[2] * level)])
    return message


def _synthesize(font: bytes, piece: _Piece) -> tuple[Sound, int]:
    """Sound of shape (samples, 2) and its sample rate.

    The synthesizer puts out 16 bits: where a mix exceeds them, it is rendered again, softer.
    """
    for level in _LEVELS:
        sound, rate = _wave(font, piece.midi(level))
        if _peak(sound) < _CLIPPED:
            break
    return sound, rate


def _wave(font: bytes, midi: bytes) -> tuple[Sound, int]:
    try:
        wave = midirenderer.render_wave_from(font, midi)
    except RuntimeError as error:
        raise UserError(f"cannot render audio: {error}") from error
    sound, rate = soundfile.read(io.BytesIO(wave), dtype="float32", always_2d=True)
    return sound, rate


def _peak(sound: Sound) -> float:
    return float(max(sound.max(initial=0.0), -sound.min(initial=0.0)))


def _finish(sound: Sound, rate: int) -> Sound:
    """The sound with its peak set, the silence at its end cut, and faded out there."""
    peak = _peak(sound)
    loud = np.abs(sound).max(axis=1) > _QUIET * peak
    last = len(sound) - int(loud[::-1].argmax()) if peak else 0
    end = len(sound) - _TAIL * rate
    silence = np.clip(end - last, _FADE * rate, _LONGEST_SILENCE * rate)
    result = sound[: last + int(silence)].copy()
    result *= min(_PEAK / peak, _MOST_GAIN) if peak else 1.0
    fade = np.linspace(1.0, 0.0, int(_FADE * rate), dtype=np.float32)[-len(result) :]
    result[len(result) - len(fade) :] *= fade[:, None]
    return result
