"""The network: a decoder-only Transformer whose positions are whole musical events.

- pre-norm, rotary positions in the row and in musical time (`positions`), normalised queries and
  keys, grouped keys and values, squared ReLU, output projections that start at zero; or learned
  positions and GELU, as MuseNet had;
- input: five field embeddings and the embeddings of the moment (time, place in the chord,
  part, countdown, place in the bar and the phrase, controls) and of the echo (`echoes`), summed; in
  front five rows of prompt; each row also gets a matrix of the row before it, so that one layer of
  attention suffices to find what followed the same event earlier in the piece;
- output: a chain of heads, wait → instrument → pitch → duration → velocity, each of which
  knows the fields before it (chain rule) and, from `wait` on, the moment it leads to, and may copy
  what stood some bars ago (`copying`).

Shape suffixes: B batch, T positions, D width, N heads, K key-value heads, H head width,
F features, V vocabulary of a field.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from musenet.attention import Attention, LayerCache, Linear, Turns, norm
from musenet.condition import INSTRUMENT_SLOTS, KEYS, KINDS, STYLE_SLOTS, Conditions
from musenet.copying import Told
from musenet.echoes import ROW_COLUMNS, ROW_SIZES
from musenet.events import FIELDS, SIZES
from musenet.features import COLUMNS, FEATURE_SIZES, GIVEN, TICK
from musenet.positions import NO_TICK, rotation_at, rotation_in_time, spans_on
from musenet.presets import ModelConfig
from musenet.score import TICKS_PER_BEAT
from musenet.squared_relu import squared_relu

PROMPT_ROWS = 5
"""Positions before the first event: style, instruments, key, kind, start."""
TABLES = "moment.tables."
"""What stands in the names of the tables of features."""
_PERIODS = 12


@dataclass
class Cache:
    """Keys and values of the positions so far, to which decoding appends in place.

    Attributes:
        keys: one tensor (B, K, capacity, `ModelConfig.key_width`) a layer.
        values: one tensor (B, K, capacity, H) a layer.
        last: embedding of the last position, (B, 1, D).
        last_tick: its time, (B, 1).
        length: positions held.
    """

    keys: list[Tensor]
    values: list[Tensor]
    last: Tensor
    last_tick: Tensor
    length: int = 0

    @classmethod
    def empty(cls, model: Model, batch: int, capacity: int) -> Cache:
        """An empty cache for `batch` sequences of at most `capacity` positions."""
        config, weight = model.config, model.start.weight

        def tensors(width: int) -> list[Tensor]:
            shape = (batch, config.kv_heads, capacity, width)
            return [weight.new_zeros(shape, dtype=model.dtype) for _ in range(config.layers)]

        last = weight.new_zeros((batch, 1, config.width), dtype=model.dtype)
        last_tick = torch.full((batch, 1), NO_TICK, device=weight.device)
        return cls(tensors(config.key_width), tensors(config.head_width), last, last_tick)

    def repeated(self, times: int) -> Cache:
        """A cache in which each sequence stands so many times in a row."""
        if times == 1:
            return self

        def copies(tensors: list[Tensor]) -> list[Tensor]:
            return [tensor.repeat_interleave(times, dim=0) for tensor in tensors]

        last, tick = copies([self.last, self.last_tick])
        return Cache(copies(self.keys), copies(self.values), last, tick, self.length)


def _table(rows: int, width: int, *, std: float = 0.3) -> nn.Embedding:
    table = nn.Embedding(rows, width)
    nn.init.normal_(table.weight, std=std)
    return table


class MomentEmbedding(nn.Module):
    """MuseNet's structural embeddings, the place in the bar, the controls and echoes, summed.

    Elapsed time enters as sines and cosines of 2 to 4,096 beats, so that all notes of a
    chord share it and later times than any in training are nothing new. All starts at zero:
    ten random tables would drown the events that they go with.
    """

    def __init__(self, config: ModelConfig, *, echoes: bool) -> None:
        """Create the tables; `echoes` for those of `echoes.ECHOES` too."""
        super().__init__()
        sizes, names = (FEATURE_SIZES, COLUMNS) if not echoes else (ROW_SIZES, ROW_COLUMNS)
        self.tables = nn.ModuleList(_table(size, config.width, std=0.0) for size in sizes[1:])
        self.time = Linear(2 * _PERIODS, config.width, zero=True)
        self.seen = [place for place, name in enumerate(names) if name not in config.blind]

    def forward(self, features_BTF: Tensor, dtype: torch.dtype) -> Tensor:
        """Features, columns as in `ROW_COLUMNS`, to (B, T, D)."""
        beats = features_BTF[..., :1].to(torch.float32) / TICKS_PER_BEAT
        periods = 2.0 ** torch.arange(1, _PERIODS + 1, device=beats.device)
        angles = 2 * torch.pi * beats / periods
        waves = torch.cat([angles.sin(), angles.cos()], dim=-1)
        x_BTD: Tensor = self.time(waves if 0 in self.seen else torch.zeros_like(waves))
        for column, table in enumerate(self.tables, start=1):
            if column in self.seen:
                x_BTD = x_BTD + table(features_BTF[..., column])
        return x_BTD.to(dtype)


class FeedForward(nn.Module):
    """Two matrices with an activation between; adds nothing at the start of training."""

    def __init__(self, width: int, inner: int, activation: str) -> None:
        """Create the matrices."""
        super().__init__()
        self.up = Linear(width, inner)
        self.down = Linear(inner, width, zero=True)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """Shape (…, D) to (…, D)."""
        inner = self.up(x)
        active = F.gelu(inner) if self.activation == "gelu" else squared_relu(inner)
        y: Tensor = self.down(active)
        return y


class Block(nn.Module):
    """Attention, then feed-forward, each added to the stream."""

    def __init__(self, config: ModelConfig) -> None:
        """Create both parts."""
        super().__init__()
        self.attention = Attention(config)
        self.feed_forward = FeedForward(config.width, 4 * config.width, config.activation)

    def forward(
        self, x_BTD: Tensor, embedded_BTD: Tensor, turns: Turns, cache: LayerCache
    ) -> Tensor:
        """The stream and what was embedded, (B, T, D), to the stream."""
        x_BTD = x_BTD + self.attention(norm(x_BTD), embedded_BTD, turns, cache)
        y_BTD: Tensor = x_BTD + self.feed_forward(norm(x_BTD))
        return y_BTD


class Heads(nn.Module):
    """The chain that predicts the five fields of the next event one after the other."""

    def __init__(self, config: ModelConfig) -> None:
        """Create an output matrix a field, and what leads from a field to the next."""
        super().__init__()
        width = config.width
        self.outputs = nn.ModuleList(Linear(width, size, zero=True) for size in SIZES)
        self.frequent = nn.ParameterList(torch.zeros(size) for size in SIZES)
        self.chosen = nn.ModuleList(_table(size, width) for size in SIZES[:-1])
        self.links = nn.ModuleList(FeedForward(width, width, config.activation) for _ in SIZES[:-1])
        self.moment = MomentEmbedding(config, echoes=False)

    def logits(self, field: int, x: Tensor) -> Tensor:
        """Scores of a field's values in fp32, shape (…, V)."""
        scores: Tensor = self.outputs[field](norm(x)).float() + self.frequent[field]
        return 15.0 * torch.tanh(scores / 15.0)

    def choose(self, field: int, x: Tensor, ids: Tensor, features: Tensor | None) -> Tensor:
        """The state for the next field once this one's value is known.

        Args:
            field: which field was chosen.
            x: state, (…, D).
            ids: chosen values, (…).
            features: of the moment that a wait leads to, (…, F); for field 0 only.
        """
        x = x + self.chosen[field](ids).to(x.dtype)
        if features is not None:
            x = x + self.moment(features, x.dtype)
        linked: Tensor = x + self.links[field](norm(x))
        return linked


class Model(nn.Module):
    """The whole network."""

    def __init__(self, config: ModelConfig, dtype: torch.dtype = torch.float32) -> None:
        """Create the network; `dtype` is that of the activations, weights are fp32."""
        super().__init__()
        self.config = config
        self.dtype = dtype
        width = config.width
        self.fields = nn.ModuleList(_table(size, width) for size in SIZES)
        self.moment = MomentEmbedding(config, echoes=True)
        self.style = _table(STYLE_SLOTS, width)
        self.instruments = _table(INSTRUMENT_SLOTS, width)
        self.key = _table(KEYS + 1, width)
        self.kind = _table(KINDS + 1, width)
        self.start = _table(2, width)
        self.prompt_row = _table(PROMPT_ROWS, width)
        self.learned = _table(config.context, width) if config.positions == "learned" else None
        self.previous = Linear(width, width, zero=True) if config.token_shift else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.heads = Heads(config)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.start.weight.device

    def embed_prompt(self, conditions: Conditions) -> Tensor:
        """The rows in front, (B, `PROMPT_ROWS`, D)."""

        def tensor(values: object) -> Tensor:
            return torch.as_tensor(values, device=self.device)

        rows = [
            tensor(conditions.styles) @ self.style.weight,
            tensor(conditions.instruments) @ self.instruments.weight,
            self.key(tensor(conditions.key)),
            self.kind(tensor(conditions.kind)),
            self.start(tensor(conditions.start)),
        ]
        return (torch.stack(rows, dim=1) + self.prompt_row.weight).to(self.dtype)

    def embed_events(self, ids_BT5: Tensor, features_BTF: Tensor) -> Tensor:
        """Events and their moments, (B, T, D)."""
        x_BTD: Tensor = self.moment(features_BTF, torch.float32)
        for field, table in enumerate(self.fields):
            x_BTD = x_BTD + table(ids_BT5[..., field])
        return x_BTD.to(self.dtype)

    def embed(
        self, conditions: Conditions, ids_BT5: Tensor, features_BTF: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Windows behind their prompts, (B, `PROMPT_ROWS` + T, D), and when each row is."""
        events_BTD = self.embed_events(ids_BT5, features_BTF)
        x_BTD = torch.cat([self.embed_prompt(conditions), events_BTD], dim=1)
        return x_BTD, F.pad(features_BTF[..., TICK], (PROMPT_ROWS, 0), value=NO_TICK)

    def trunk(self, x_BTD: Tensor, ticks_BT: Tensor, cache: Cache | None = None) -> Tensor:
        """Embeddings to hidden states, (B, T, D); appends to the cache where one is given.

        Args:
            x_BTD: rows, as `embed_prompt` and `embed_events` give them.
            ticks_BT: when they are, `NO_TICK` for rows of prompt.
            cache: what came before.
        """
        start, length = (cache.length if cache else 0), x_BTD.shape[1]
        x_BTD = self._with_previous(x_BTD, cache)
        if self.learned is not None:
            x_BTD = x_BTD + self.learned.weight[start : start + length].to(x_BTD.dtype)
        turns = self._turns(start, ticks_BT, cache, x_BTD)
        x_BTD = embedded_BTD = norm(x_BTD)
        for layer, block in enumerate(self.blocks):
            held = (cache.keys[layer], cache.values[layer], start) if cache else None
            if self.config.recompute and self.training:
                x_BTD = checkpoint(block, x_BTD, embedded_BTD, turns, held, use_reentrant=False)
            else:
                x_BTD = block(x_BTD, embedded_BTD, turns, held)
        if cache:
            cache.length += length
        return norm(x_BTD)

    def _turns(self, start: int, ticks_BT: Tensor, cache: Cache | None, like: Tensor) -> Turns:
        """The rotations of rows from a position on; keeps the last time in the cache."""
        row = None
        if self.learned is None:
            row = rotation_at(start, ticks_BT.shape[1], self.config.head_width, like)
        if not self.config.musical_time:
            return Turns(row, None)
        first = cache.last_tick if cache else torch.full_like(ticks_BT[:, :1], NO_TICK)
        before_BT = torch.cat([first, ticks_BT[:, :-1]], dim=1)
        if cache:
            cache.last_tick = ticks_BT[:, -1:]
        spans = spans_on(like.device)
        now, before = (
            rotation_in_time(ticks, spans, like.dtype) for ticks in (ticks_BT, before_BT)
        )
        return Turns(row, (now, before))

    def _with_previous(self, x_BTD: Tensor, cache: Cache | None) -> Tensor:
        """Each row with a matrix of the one before it added (token shift, Peng et al., 2023)."""
        if self.previous is None:
            return x_BTD
        first = cache.last if cache else torch.zeros_like(x_BTD[:, :1])
        before_BTD = torch.cat([first, x_BTD[:, :-1]], dim=1)
        if cache:
            cache.last = x_BTD[:, -1:]
        shifted: Tensor = self.previous(before_BTD)
        return x_BTD + shifted

    def losses(self, x_BTD: Tensor, next_BT5: Tensor, next_features_BTF: Tensor) -> Tensor:
        """Nats of each field of each next event given the hidden states, (B, T, 5).

        Of a given event only the wait says something: that nothing else came before it.
        """
        nats = []
        told = Told.by(next_features_BTF, self.config.copies)
        given_BT = next_features_BTF[..., GIVEN] > 0
        for field in range(len(FIELDS)):
            logits_BTV = told.shut(self.heads.logits(field, x_BTD), field)
            nats_BT, told = told.nats(logits_BTV, field, next_BT5[..., field])
            if field == 0:
                nats_BT = torch.where(given_BT, _survival(logits_BTV, next_BT5[..., 0]), nats_BT)
            nats.append(nats_BT)
            if field + 1 < len(FIELDS):
                features = next_features_BTF if field == 0 else None
                x_BTD = self.heads.choose(field, x_BTD, next_BT5[..., field], features)
        return torch.stack(nats, dim=-1)

    def forward(self, conditions: Conditions, ids_BT5: Tensor, features_BTF: Tensor) -> Tensor:
        """Nats of each field of each event of windows, given all before it, (B, T, 5)."""
        x_BTD, ticks_BT = self.embed(conditions, ids_BT5[:, :-1], features_BTF[:, :-1])
        hidden_BTD = self.trunk(x_BTD, ticks_BT)[:, PROMPT_ROWS - 1 :]
        return self.losses(hidden_BTD, ids_BT5, features_BTF)


def _survival(logits_BTV: Tensor, wait_BT: Tensor) -> Tensor:
    """Nats of the next event coming no sooner than after a wait, (B, T)."""
    later_BTV = torch.arange(logits_BTV.shape[-1], device=logits_BTV.device) >= wait_BT[..., None]
    later_BT = logits_BTV.masked_fill(~later_BTV, -torch.inf).logsumexp(dim=-1)
    return logits_BTV.logsumexp(dim=-1) - later_BT


def parameters(model: nn.Module) -> int:
    """How many parameters a model has."""
    return sum(parameter.numel() for parameter in model.parameters())
