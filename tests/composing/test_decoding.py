from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from composers import decoder_for, random_model
from numpy.typing import NDArray
from torch import Tensor

from musenet.composing import decoding
from musenet.composing.decoding import Decoder, Stopped
from musenet.composing.engine import Engine
from musenet.composing.network import Eager, Packed
from musenet.composing.prompt import Prompt
from musenet.composing.rules import LATEST_END
from musenet.composing.sampling import COLDEST, Sampling, sample
from musenet.condition import stack
from musenet.echoes import Echoes, echoes
from musenet.events import (
    END,
    METRE_EVENT,
    REST,
    SIZES,
    TEMPO_EVENT,
    TEMPO_OFFSET,
    Table,
    decode,
    encode,
    is_note,
    is_valid,
    to_ids,
)
from musenet.features import Features, features
from musenet.instruments import INSTRUMENTS, instrument_id
from musenet.score import Score, note_ends, out_of_range
from musenet.windows import window

TEN = ("violin", "viola", "cello", "contrabass", "flute", "oboe", "clarinet", "horn", "timpani",
       "drums")  # fmt: skip
LONGINGS: dict[str, dict[int, int]] = {
    "nothing": {},
    "chords": {0: 0, 1: instrument_id("cello")},
    "haste": {0: 1, 2: 60, 3: 1},
    "long notes": {3: 120},
    "silence": {0: 96, 1: REST},
    "slowing down": {0: 24, 1: TEMPO_EVENT, 2: TEMPO_OFFSET},
    "speeding up": {0: 24, 1: TEMPO_EVENT, 2: TEMPO_OFFSET + 63},
    "changing metre": {1: METRE_EVENT},
    "the end": {1: END},
}
"""What a model may want above all."""
VOICES = {"flute": 1, "violin": 2, "timpani": 1, "cello": 3}
PROMPTS = {
    "piano": Prompt(instruments=("piano",), minutes=0.15),
    "drums": Prompt(instruments=("drums",), minutes=0.2, tempo=24.0),
    "narrow": Prompt(instruments=("timpani",), minutes=0.1, tempo=300.0),
    "ten": Prompt(instruments=TEN, minutes=0.15, metre="3/4"),
    "all": Prompt(instruments=tuple(each.name for each in INSTRUMENTS), minutes=0.2),
    "flute": Prompt(instruments=("flute",), minutes=0.2),
    "notes": Prompt(instruments=TEN, minutes=0.2, notes="C4 R:9 G3", tempo=131.7),
}


def at_once(score: Score, player: int) -> int:
    """The most notes of an instrument that sound at once."""
    own = score.notes["instrument"] == player
    begins, ends = score.notes["onset"][own], note_ends(score)[own]
    sounding = (begins[:, None] <= begins) & (begins < ends[:, None])
    return int(sounding.sum(axis=0).max(initial=0))


def nobody_is_stuck(monkeypatch: pytest.MonkeyPatch, decoder: Decoder) -> None:
    """Fail where the rules leave a candidate that goes on nothing to choose."""

    def choosing(scores: Any, allowed: NDArray[np.bool_], *rest: Any) -> NDArray[np.int64]:
        assert allowed[decoder.alive].any(axis=1).all()
        return sample(scores, allowed, *rest)

    monkeypatch.setattr(decoding, "sample", choosing)


@pytest.mark.parametrize("asked", PROMPTS)
@pytest.mark.parametrize("longing", LONGINGS)
def test_whatever_a_model_wants_the_piece_is_sound(
    asked: str, longing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt, model = PROMPTS[asked], random_model(3, longing=LONGINGS[longing])
    monkeypatch.setattr(decoding, "EVENTS_PER_SECOND", 24)
    monkeypatch.setattr(decoding, "SPARE_EVENTS", 0)
    decoder = decoder_for(prompt, model, candidates=2, seed=3, voices=VOICES)
    nobody_is_stuck(monkeypatch, decoder)
    players = [instrument_id(name) for name in prompt.instruments]
    for place, draft in enumerate(decoder.run()):
        assert is_valid(draft.table)
        score = decode(draft.table)
        again = encode(score)
        assert np.array_equal(again[:-1], draft.table)
        if draft.ended:
            assert np.array_equal(again[-1], decoder.tables[place, len(draft.table)])
        assert score.instruments == sorted(players)
        assert all(at_once(score, instrument_id(name)) <= most for name, most in VOICES.items())
        assert not out_of_range(score).any()
        assert 0.95 <= score.seconds / decoder.rules.wishes.seconds <= 1.05
        assert not (score.tempos["tick"] % 24).any()
        assert len(score.metres) == 1 or (prompt.metre is None and not prompt.notes)
        assert draft.forced <= is_note(draft.table).sum()


def test_a_model_that_wants_to_end_ends_when_it_may() -> None:
    model = random_model(2, longing={0: 24, 1: END, 3: 24})
    draft = decoder_for(Prompt(instruments=("piano",), minutes=0.5), model).run()[0]
    assert draft.ended
    assert draft.sure > 0.5
    assert END not in draft.table[:, 1]


def test_a_model_that_will_not_end_is_stopped_by_the_limit() -> None:
    model = random_model(1, longing={0: 0})
    model.heads.frequent[1].data[END] = -100.0
    draft = decoder_for(Prompt(instruments=("piano",), minutes=0.2), model).run()[0]
    assert not draft.ended
    assert draft.sure == 0.0


def test_calm_pitches_are_the_likeliest_while_the_rest_stays_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    likeliest: dict[float, list[bool]] = {0.01: [], 1.0: []}
    pitches = SIZES[2]

    def drawn(scores: Any, allowed: Any, chance: Any, how: Sampling, *rest: Any) -> Any:
        chosen = sample(scores, allowed, chance, how, *rest)
        if scores.shape[1] == pitches:
            best = np.where(allowed, scores, -np.inf).argmax(axis=1)
            likeliest[calm].append(bool((chosen == best).all()))
        else:
            assert how.temperature == 1.0
        return chosen

    monkeypatch.setattr(decoding, "sample", drawn)
    prompt, how = Prompt(instruments=("piano",), minutes=0.3), Sampling(temperature=1.0)
    assert decoder_for(prompt, how=how, calm=0.01).calmer.temperature == COLDEST
    for calm in likeliest:
        decoder_for(prompt, random_model(2), how=how, calm=calm).run()
    assert np.mean(likeliest[0.01]) > 0.6
    assert np.mean(likeliest[1.0]) < 0.45


def test_where_rows_run_out_the_limit_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "EVENTS_PER_SECOND", 1)
    monkeypatch.setattr(decoding, "SPARE_EVENTS", 20)
    model = random_model(1, longing={0: 0})
    model.heads.frequent[1].data[END] = -100.0
    prompt = Prompt(instruments=("piano",), minutes=0.2)
    drafts = [decoder_for(prompt, model, seed=seed).run()[0] for seed in range(24)]
    assert not any(draft.ended for draft in drafts)
    assert max(len(draft.table) for draft in drafts) == int(12 * LATEST_END) + 20


def test_forced_notes_are_counted() -> None:
    model = random_model(1, longing={1: instrument_id("violin")})
    prompt = Prompt(instruments=TEN, minutes=0.5)
    draft = decoder_for(prompt, model).run()[0]
    others = is_note(draft.table) & (draft.table[:, 1] != instrument_id("violin"))
    assert 0 < draft.forced <= others.sum()
    alone = decoder_for(Prompt(instruments=("violin",), minutes=0.5), model).run()[0]
    assert alone.forced == 0


def test_one_that_is_raised_though_the_model_gives_it_no_chance_counts_as_forced() -> None:
    decoder = decoder_for(Prompt(instruments=("violin", "piano"), minutes=0.5), random_model(1))
    violin, piano = instrument_id("violin"), instrument_id("piano")
    decoder.past.rows = 2
    decoder.balance.notes[:, [violin, piano]] = 1_000, 1
    wait, scores = np.zeros(1, dtype=np.int64), np.zeros((1, 64), dtype=np.float32)
    overdue = decoder.balance.overdue(decoder.moments.seconds)
    for wanted, forced in ((0.0, False), (9.0, True)):
        scores[:, violin] = wanted
        allowed, bias, against = decoder._players(decoder.moments, wait, overdue, scores)
        assert allowed[0, [violin, piano]].all()
        assert bias[0, violin] == 0.0 < bias[0, piano]
        assert against[0, piano] == forced
        assert not against[0, violin]


def test_candidates_are_the_same_each_time_and_differ() -> None:
    prompt = Prompt(instruments=("piano", "violin"), minutes=0.4)
    first, second = (decoder_for(prompt, candidates=4, seed=5).run() for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.table, other.table)
    assert len({draft.table.tobytes() for draft in first}) == 4
    assert decoder_for(prompt, candidates=4, seed=6).run()[0].table.tobytes() != (
        first[0].table.tobytes()
    )


def test_a_finished_candidate_does_not_end_the_others() -> None:
    drafts = decoder_for(Prompt(instruments=("piano",), minutes=0.4), candidates=4, seed=5).run()
    assert len({len(draft.table) for draft in drafts}) > 1


@pytest.mark.parametrize("how", [Sampling(0.05), Sampling(5.0, 1.0), Sampling(1.0, 1e-9)])
def test_extremes_of_sampling_work(how: Sampling) -> None:
    decoder = decoder_for(Prompt(instruments=("piano", "drums"), minutes=0.2), how=how)
    assert 0.95 <= decode(decoder.run()[0].table).seconds / 12.0 <= 1.05


def test_progress_tells_the_seconds_composed() -> None:
    told: list[float] = []
    decoder_for(Prompt(instruments=("piano",), minutes=0.6)).run(told.append)
    assert told == sorted(told)
    assert 0.0 < told[-1] <= 0.6 * 63


def test_the_likeliest_values_come_from_the_model() -> None:
    model = random_model(4, longing={4: 9})
    draft = decoder_for(Prompt(minutes=0.2), model, how=Sampling(1.0, 1e-9)).run()[0]
    assert set(draft.table[is_note(draft.table), 4].tolist()) == {9}


class Naive(Engine):
    """Reads the window of every candidate anew for each row, without a cache."""

    start = 0
    heard: Echoes | None = None

    @property
    def echoes(self) -> Echoes:
        return super().echoes if self.heard is None else self.heard

    def append(self, tables: Table, columns: Features) -> Tensor:
        rows = tables.shape[1]
        if rows - self.start + (2 if self.start else 0) > self.context:
            self.start = rows - self.context // 2
        self.heard = np.concatenate([echoes(table[:rows], rows - 1) for table in tables])
        return torch.cat([self._last(table[:rows]) for table in tables])

    def _last(self, table: Table) -> Tensor:
        view = window(table, self.start, len(table))
        columns = np.concatenate([features(view.moments, self.total_seconds), view.echoes], axis=1)
        told = stack(self.conditions, [view.begins])
        ids, moments = torch.from_numpy(to_ids(view.table)[None]), torch.from_numpy(columns[None])
        return self.model.trunk(*self.model.embed(told, ids, moments))[:, -1]


@pytest.mark.parametrize("how", [Sampling(), Sampling(1.0, 1e-9)])
def test_the_same_seed_says_what_a_naive_generator_says(how: Sampling) -> None:
    prompt = Prompt(instruments=("piano", "violin"), minutes=0.25, tempo=120.0)
    model = random_model(5, longing={0: 6})
    fast, naive = (
        decoder_for(prompt, model, candidates=2, seed=1, how=how, context=24) for _ in range(2)
    )
    for decoder, kind, network in (
        (fast, Engine, Packed(model, half=False)), (naive, Naive, Eager(model)),
    ):  # fmt: skip
        own = decoder.engine
        decoder.network = network
        decoder.engine = kind(network, own.conditions[0], 2, own.context, own.total_seconds)
        decoder.hidden = decoder.engine.begin(decoder.tables[0, : decoder.past.rows])
    for one, other in zip(fast.run(), naive.run(), strict=True):
        assert len(one.table) > 3 * 24
        assert np.array_equal(one.table, other.table)


def test_rows_are_handed_on_as_they_are_made() -> None:
    prompt = Prompt(instruments=("piano",), minutes=0.4, notes="C4 E4")
    decoder = decoder_for(prompt, candidates=3, seed=5)
    parts: list[list[Table]] = [[] for _ in range(3)]
    seen: list[int] = []

    def take(place: int, rows: Table) -> None:
        parts[place].append(rows.copy())
        seen.append(decoder.past.rows)

    drafts = decoder.run(on_rows=take)
    for draft, own in zip(drafts, parts, strict=True):
        assert np.array_equal(np.concatenate(own), draft.table)
        assert all(len(rows) == 1 for rows in own[1:])
    assert len(set(seen)) > 20
    plain = decoder_for(prompt, candidates=3, seed=5).run()
    assert [a.table.tobytes() for a in plain] == [b.table.tobytes() for b in drafts]


def test_composing_stops_when_asked() -> None:
    decoder = decoder_for(Prompt(instruments=("piano",), minutes=2.0))
    with pytest.raises(Stopped):
        decoder.run(stop=lambda: decoder.past.rows >= 9)
    assert decoder.past.rows == 9
