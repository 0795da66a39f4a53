"""The network as composing runs it: a row a step, behind a cache.

`Eager` is the model as it stands, for any device; `graphed.Graphed` is for CUDA.
`Packed` is the same network laid out anew for a CPU, where a step is bound by the memory that it
reads and by the number of operations:

- matrices in half precision, multiplied in fp32 (FBGEMM; any CPU with AVX2 and F16C): half the
  memory of fp32, no activation is rounded, and each row is computed alone, so that a candidate
  gets the same numbers in a batch of any size;
- all else in NumPy, whose operations on a few numbers take half the time of those of PyTorch;
- attention of one query a head as products of a matrix and a vector, in the order of the cache;
- queries, keys and values from one matrix; the value embeddings of all layers from another;
- all tables of a sum of embeddings in one, with one gather;
- a norm is a division, since a gain of √D stands in the matrix behind it, or one behind squared
  ReLU;
- rotary pairs stand side by side, so that turning them, in the row and in musical time, is one
  complex product.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import accumulate
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from musenet.composing.packing import (
    Floats,
    asking,
    largest_score,
    multiply,
    packed,
    turns_in_row,
    turns_in_time,
    weights_of,
)
from musenet.features import TICK, Features
from musenet.model import Block, Cache, FeedForward, Model, MomentEmbedding
from musenet.presets import TIME_WIDTH
from musenet.score import TICKS_PER_BEAT

_LARGEST = 60.0
"""Scores of attention up to which their exponentials may be added up as they are."""
Ids = NDArray[np.int64]
Turn = NDArray[np.complex64] | None
Part = tuple[slice, Cache]
"""The rows of a cache among those of several."""


class Network(Protocol):
    """What composing asks of the network; B candidates, a row of each at a time.

    All is called within `torch.inference_mode`.
    """

    @property
    def model(self) -> Model:
        """The model that is laid out."""

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """Take embedded windows in.

        Args:
            x_BTD: windows, prompt in front, as `model.Model.embed` gives them.
            ticks_BT: when each of their rows is.
            capacity: positions that there is to be room for.
            times: how often each sequence stands in a row afterwards.
            before: the cache that the new one replaces, which is not used any more.

        Returns:
            The state that foretells the next row, (B · times, D), and the cache.
        """

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """The state that foretells the next row, (B, D), once rows, (B, 5), are taken in.

        They are the rows of all caches, one cache behind the other.
        """

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """Scores of a field's values, shape (B, V)."""

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """The state for the next field, as `model.Heads.choose`."""


def network_of(model: Model) -> Network:
    """The model laid out for where it is: packed, with CUDA graphs, or as it stands."""
    if model.device.type == "cuda":
        from musenet.composing.graphed import Graphed

        return Graphed(model)
    packs = model.device.type == "cpu" and model.dtype == torch.float32
    return Packed(model) if packs else Eager(model)


class Eager:
    """The model as it stands."""

    def __init__(self, model: Model) -> None:
        """Use a model on any device, in any precision."""
        self.model = model

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`."""
        cache = Cache.empty(self.model, len(x_BTD), capacity)
        hidden = self.model.trunk(x_BTD, ticks_BT, cache)[:, -1]
        return hidden.repeat_interleave(times, dim=0), cache.repeated(times)

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """As `Network.step`, one cache after the other."""
        device = self.model.device
        columns_B1F = torch.from_numpy(columns[:, None]).to(device)
        x_B1D = self.model.embed_events(torch.from_numpy(ids[:, None]).to(device), columns_B1F)
        ticks_B1 = columns_B1F[..., TICK]
        states = [
            self.model.trunk(x_B1D[rows], ticks_B1[rows], cache)[:, -1]
            for rows, cache in _apart(caches)
        ]
        return torch.cat(states)

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """As `Network.logits`."""
        scores: NDArray[np.float32] = self.model.heads.logits(field, x).cpu().numpy()
        return scores

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """As `Network.choose`."""
        moment = None if columns is None else torch.from_numpy(columns).to(x.device)
        return self.model.heads.choose(field, x, torch.from_numpy(ids).to(x.device), moment)


class Packed:
    """The network laid out for one row a step on a CPU."""

    @torch.inference_mode()
    def __init__(self, model: Model, *, half: bool = True) -> None:
        """Lay a model in fp32 out anew; `half` False keeps its matrices in fp32."""
        config, heads = model.config, model.heads
        self.model = model
        self.chosen = [table.numpy() for table in weights_of(heads.chosen)]
        self.rows = _Sum(model.moment, weights_of(model.fields))
        self.moment = _Sum(heads.moment, weights_of(heads.chosen)[:1])
        self.previous = packed(model.previous, half) if model.previous is not None else None
        blocks = [cast(Block, block) for block in model.blocks]
        embedded = weights_of(b.attention.embedded for b in blocks if b.attention.embedded)
        self.embedded = multiply(torch.cat(embedded), None, half) if embedded else None
        self.turns: Turn = None
        self._lock = threading.Lock()
        self.blocks = [_PackedBlock(block, layer, half) for layer, block in enumerate(blocks)]
        self.gain = np.float32(config.width**0.5)
        self.outputs = [
            multiply(weight * (config.width**0.5 / 15.0), bias / 15.0, half)
            for weight, bias in zip(weights_of(heads.outputs), heads.frequent, strict=True)
        ]
        self.links = [_PackedFeedForward(cast(FeedForward, link), half) for link in heads.links]

    def read(
        self, x_BTD: Tensor, ticks_BT: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`."""
        cache = Cache.empty(self.model, len(x_BTD), capacity)
        hidden = self.model.trunk(x_BTD, ticks_BT, cache)[:, -1]
        self._adopt(cache)
        return hidden.repeat_interleave(times, dim=0), cache.repeated(times)

    def _adopt(self, cache: Cache) -> None:
        """Put the rotary pairs of keys that the model made side by side."""
        if self.model.learned is not None:
            return
        capacity = cache.keys[0].shape[2]
        with self._lock:
            if self.turns is None or len(self.turns) < capacity:
                self.turns = turns_in_row(self.model, capacity)
        width = self.model.config.head_width
        for keys in cache.keys:
            for held in keys[:, :, : cache.length].tensor_split([width], dim=-1):
                halves = held.reshape(*held.shape[:-1], 2, -1)
                held.copy_(halves.transpose(-1, -2).flatten(-2))

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """As `Network.step`."""
        x, parts = self.rows(ids, columns), _apart(caches)
        if self.previous is not None:
            shifted = self.previous(np.concatenate([cache.last[:, 0].numpy() for cache in caches]))
            for rows, cache in parts:
                cache.last = torch.from_numpy(x[rows, None].copy())
            x += shifted
        places = [cache.length for cache in caches for _ in range(len(cache.last))]
        if self.model.learned is not None:
            x += self.model.learned.weight[places].numpy()
        x *= self.gain / _size(x)
        turn = self._turn(places, columns, parts)
        values = np.split(self.embedded(x), len(self.blocks), axis=1) if self.embedded else ()
        for layer, block in enumerate(self.blocks):
            block(x, parts, turn, values[layer] if values else None)
        for cache in caches:
            cache.length += 1
        x *= self.gain / _size(x)
        return torch.from_numpy(x)

    def _turn(self, places: list[int], columns: Features, parts: list[Part]) -> Turn:
        """What turns queries and keys, (B, heads, E / 2) each or to be broadcast to it."""
        if self.turns is None:
            return None
        row, config = self.turns[places, None], self.model.config
        if not config.musical_time:
            return row
        now = columns[:, TICK].astype(np.int64)
        before = np.concatenate([cache.last_tick[:, 0].numpy() for _, cache in parts])
        for rows, cache in parts:
            cache.last_tick = torch.from_numpy(now[rows, None].copy())
        row = np.repeat(row, config.heads + config.kv_heads, axis=1)
        asked = np.repeat(turns_in_time(now)[:, None], config.heads, axis=1)
        found = np.repeat(turns_in_time(before)[:, None], config.kv_heads, axis=1)
        return np.concatenate([row, np.concatenate([asked, found], axis=1)], axis=2)

    def logits(self, field: int, x: Tensor) -> Floats:
        """As `Network.logits`."""
        state: Floats = x.numpy()
        scores = self.outputs[field](state / _size(state))
        np.tanh(scores, out=scores)
        scores *= np.float32(15.0)
        return scores

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """As `Network.choose`."""
        if columns is not None:
            state: Floats = x.numpy() + self.moment(ids[:, None], columns)
        else:
            state = x.numpy() + self.chosen[field][ids]
        self.links[field](state)
        return torch.from_numpy(state)


class _Sum:
    """A sum of embeddings from one table: of fields, then of a moment."""

    def __init__(self, moment: MomentEmbedding, tables: list[Tensor]) -> None:
        self.moments = [column for column in moment.seen if column > 0]
        parts = [*tables, *weights_of(moment.tables[column - 1] for column in self.moments)]
        self.table = torch.cat(parts).numpy()
        self.offsets = np.cumsum([0, *map(len, parts[:-1])], dtype=np.int64)
        self.waves = moment.time.weight.T.numpy().copy() if 0 in moment.seen else None
        half = moment.time.in_features // 2
        self.periods = 2.0 ** np.arange(1, half + 1, dtype=np.float32)

    def __call__(self, ids: Ids, columns: Features) -> Floats:
        """Chosen values, (B, tables), and features, (B, F), to (B, D)."""
        index = np.concatenate([ids, columns[:, self.moments]], axis=1)
        index += self.offsets
        x: Floats = np.add.reduce(self.table[index], axis=1)
        if self.waves is not None:
            beats = columns[:, :1].astype(np.float32) / np.float32(TICKS_PER_BEAT)
            angles = np.float32(2 * np.pi) * beats / self.periods
            waves = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
            x += np.add.reduce(waves[:, :, None] * self.waves, axis=1)
        return x


class _PackedFeedForward:
    """Norm and feed-forward, added to the stream in place.

    Squared ReLU of a row divided by its size is that of the row, divided by the size squared.
    """

    def __init__(self, layer: FeedForward, half: bool) -> None:
        self.gelu = layer.activation == "gelu"
        self.up = multiply(layer.up.weight * layer.up.in_features**0.5, None, half)
        self.down = packed(layer.down, half)

    def __call__(self, x: Floats) -> None:
        """Add to the stream, (B, D)."""
        if self.gelu:
            x += self.down(F.gelu(torch.from_numpy(self.up(x / _size(x)))).numpy())
            return
        inner = self.up(x)
        np.maximum(inner, 0.0, out=inner)
        inner *= inner
        added = self.down(inner)
        added /= np.vecdot(x, x)[:, None]
        x += added


class _PackedBlock:
    """Attention over the cache, then feed-forward, each added to the stream in place."""

    def __init__(self, block: Block, layer: int, half: bool) -> None:
        self.layer, self.config = layer, block.attention.config
        config = self.config
        stacked = torch.cat([*asking(block.attention), block.attention.value.weight])
        self.inwards = multiply(stacked * config.width**0.5, None, half)
        self.outwards = packed(block.attention.out, half)
        self.feed_forward = _PackedFeedForward(block.feed_forward, half)
        self.bounded = largest_score(block.attention) < _LARGEST
        sizes = np.repeat([1.0, config.head_width**0.5], [config.heads, config.kv_heads])
        self.sizes = sizes[:, None].astype(np.float32)

    def __call__(self, x: Floats, parts: list[Part], turn: Turn, embedded: Floats | None) -> None:
        """Add to the stream, (B, D), in place, and to the caches."""
        config, count = self.config, len(x)
        qkv = self.inwards(x / _size(x))
        wide = (config.heads + config.kv_heads) * config.key_width
        heads = qkv[:, :wide].reshape(count, -1, config.key_width)
        values = qkv[:, wide:].reshape(count, -1, config.head_width)
        if embedded is not None:
            values += embedded.reshape(values.shape)
        in_row, in_time = np.split(heads, [config.head_width], axis=2)
        if config.qk_norm:
            in_row *= self.sizes / _size(in_row)
        if config.musical_time:
            found = in_time[:, config.heads :]
            found *= np.float32(TIME_WIDTH**0.5) / _size(found)
        if turn is not None:
            pairs = heads.view(np.complex64)
            pairs *= turn
        seen = [self._looked_up(heads[rows], values[rows], cache) for rows, cache in parts]
        x += self.outwards(np.concatenate(seen))
        self.feed_forward(x)

    def _looked_up(self, heads: Floats, v_BKH: Floats, cache: Cache) -> Floats:
        """Write keys and values into one cache, and what its queries find there, (B, D)."""
        config, place, count = self.config, cache.length, len(heads)
        keys, values = cache.keys[self.layer].numpy(), cache.values[self.layer].numpy()
        keys[:, :, place], values[:, :, place] = heads[:, config.heads :], v_BKH
        q_BKGE = heads[:, : config.heads].reshape(count, config.kv_heads, -1, config.key_width)
        y_BKGH = self._attend(q_BKGE, keys[:, :, : place + 1], values[:, :, : place + 1])
        return y_BKGH.reshape(count, -1)

    def _attend(self, q_BKGE: Floats, k_BKTE: Floats, v_BKTH: Floats) -> Floats:
        """Attention of one query a head, each a product of a matrix and a vector."""
        scores: Floats = np.matmul(k_BKTE[:, :, None], q_BKGE[..., None])[..., 0]
        if not self.bounded:
            scores -= np.maximum.reduce(scores, axis=-1, keepdims=True)
        np.exp(scores, out=scores)
        y_BKGH: Floats = np.matmul(scores[..., None, :], v_BKTH[:, :, None])[..., 0, :]
        y_BKGH /= np.add.reduce(scores, axis=-1, keepdims=True)
        return y_BKGH


def _apart(caches: Sequence[Cache]) -> list[Part]:
    """The rows of each cache among those of all."""
    ends = accumulate(len(cache.last) for cache in caches)
    return [
        (slice(end - len(cache.last), end), cache) for end, cache in zip(ends, caches, strict=True)
    ]


def _size(x: Floats) -> Floats:
    """Euclidean norm of each row, (…, 1)."""
    size: Floats = np.sqrt(np.vecdot(x, x))[..., None]
    return size
