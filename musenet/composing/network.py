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
- rotary pairs stand side by side, so that turning them is one complex product.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from musenet.features import Features
from musenet.model import Block, Cache, FeedForward, Linear, Model, MomentEmbedding, rotation_at
from musenet.score import TICKS_PER_BEAT

Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
Multiply = Callable[[Floats], Floats]
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
        self, x_BTD: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """Take embedded windows in.

        Args:
            x_BTD: windows, prompt in front.
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
        self, x_BTD: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`."""
        cache = Cache.empty(self.model, len(x_BTD), capacity)
        hidden = self.model.trunk(x_BTD, cache)[:, -1]
        return hidden.repeat_interleave(times, dim=0), cache.repeated(times)

    def step(self, ids: Ids, columns: Features, caches: Sequence[Cache]) -> Tensor:
        """As `Network.step`, one cache after the other."""
        device = self.model.device
        x_B1D = self.model.embed_events(
            torch.from_numpy(ids[:, None]).to(device), torch.from_numpy(columns[:, None]).to(device)
        )
        states = [self.model.trunk(x_B1D[rows], cache)[:, -1] for rows, cache in _apart(caches)]
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
        self.chosen = [table.numpy() for table in _weights(heads.chosen)]
        self.rows = _Sum(model.moment, _weights(model.fields))
        self.moment = _Sum(heads.moment, _weights(heads.chosen)[:1])
        self.previous = _packed(model.previous, half) if model.previous is not None else None
        blocks = [cast(Block, block) for block in model.blocks]
        embedded = _weights(b.attention.embedded for b in blocks if b.attention.embedded)
        self.embedded = _multiply(torch.cat(embedded), None, half) if embedded else None
        self.turns: NDArray[np.complex64] | None = None
        self._lock = threading.Lock()
        self.blocks = [_PackedBlock(block, layer, half) for layer, block in enumerate(blocks)]
        self.gain = np.float32(config.width**0.5)
        self.outputs = [
            _multiply(weight * (config.width**0.5 / 15.0), bias / 15.0, half)
            for weight, bias in zip(_weights(heads.outputs), heads.frequent, strict=True)
        ]
        self.links = [_PackedFeedForward(cast(FeedForward, link), half) for link in heads.links]

    def read(
        self, x_BTD: Tensor, capacity: int, times: int, before: Cache | None
    ) -> tuple[Tensor, Cache]:
        """As `Network.read`."""
        cache = Cache.empty(self.model, len(x_BTD), capacity)
        hidden = self.model.trunk(x_BTD, cache)[:, -1]
        self._adopt(cache)
        return hidden.repeat_interleave(times, dim=0), cache.repeated(times)

    def _adopt(self, cache: Cache) -> None:
        """Put the rotary pairs of keys that the model made side by side."""
        if self.model.learned is not None:
            return
        capacity = cache.keys[0].shape[2]
        with self._lock:
            if self.turns is None or len(self.turns) < capacity:
                self.turns = _turns(self.model, capacity)
        for keys in cache.keys:
            held = keys[:, :, : cache.length]
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
        turn = None if self.turns is None else self.turns[places, None]
        values = np.split(self.embedded(x), len(self.blocks), axis=1) if self.embedded else ()
        for layer, block in enumerate(self.blocks):
            block(x, parts, turn, values[layer] if values else None)
        for cache in caches:
            cache.length += 1
        x *= self.gain / _size(x)
        return torch.from_numpy(x)

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
        parts = [*tables, *_weights(moment.tables[column - 1] for column in self.moments)]
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
        self.up = _multiply(layer.up.weight * layer.up.in_features**0.5, None, half)
        self.down = _packed(layer.down, half)

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
        own, config = block.attention, block.attention.config
        self.layer, self.config = layer, config
        query, key = own.query.weight * config.head_width**-0.5, own.key.weight
        if config.positions == "rotary":
            query, key = (_side_by_side(weight, config.head_width) for weight in (query, key))
        stacked = torch.cat([query, key, own.value.weight]) * config.width**0.5
        self.inwards = _multiply(stacked, None, half)
        self.outwards = _packed(own.out, half)
        self.feed_forward = _PackedFeedForward(block.feed_forward, half)
        sizes = np.repeat([1.0, config.head_width**0.5], [config.heads, config.kv_heads])
        self.sizes = sizes[:, None].astype(np.float32)

    def __call__(
        self, x: Floats, parts: list[Part], turn: NDArray[np.complex64] | None,
        embedded: Floats | None,
    ) -> None:  # fmt: skip
        """Add to the stream, (B, D), in place, and to the caches."""
        config, count = self.config, len(x)
        turned = config.heads + config.kv_heads
        qkv = self.inwards(x / _size(x))
        heads = qkv.reshape(count, -1, config.head_width)
        if embedded is not None:
            qkv[:, turned * config.head_width :] += embedded
        asking = heads[:, :turned]
        if config.qk_norm:
            asking *= self.sizes / _size(asking)
        if turn is not None:
            pairs = asking.view(np.complex64)
            pairs *= turn
        seen = [self._looked_up(heads[rows], cache) for rows, cache in parts]
        x += self.outwards(np.concatenate(seen))
        self.feed_forward(x)

    def _looked_up(self, heads: Floats, cache: Cache) -> Floats:
        """Write keys and values into one cache, and what its queries find there, (B, D)."""
        config, place, count = self.config, cache.length, len(heads)
        turned = config.heads + config.kv_heads
        keys, values = cache.keys[self.layer].numpy(), cache.values[self.layer].numpy()
        keys[:, :, place], values[:, :, place] = heads[:, config.heads : turned], heads[:, turned:]
        q_BKGH = heads[:, : config.heads].reshape(count, config.kv_heads, -1, config.head_width)
        y_BKGH = self._attend(q_BKGH, keys[:, :, : place + 1], values[:, :, : place + 1])
        return y_BKGH.reshape(count, -1)

    def _attend(self, q_BKGH: Floats, k_BKTH: Floats, v_BKTH: Floats) -> Floats:
        """Attention of one query a head, each a product of a matrix and a vector."""
        scores: Floats = np.matmul(k_BKTH[:, :, None], q_BKGH[..., None])[..., 0]
        if not self.config.qk_norm:  # else they are bounded
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


def _turns(model: Model, positions: int) -> NDArray[np.complex64]:
    """Rotations of the first positions as complex numbers, (positions, H / 2)."""
    turns: NDArray[np.complex64] = torch.complex(
        *rotation_at(0, positions, model.config, model.start.weight)
    ).numpy()
    return turns


def _side_by_side(weight: Tensor, head_width: int) -> Tensor:
    """The rows of a matrix to heads, with the rotary pairs of a head side by side."""
    return weight.view(-1, 2, head_width // 2, weight.shape[1]).transpose(1, 2).flatten(0, 2)


def _weights(modules: Iterable[nn.Module]) -> list[Tensor]:
    """The weights of tables or matrices."""
    return [cast(nn.Embedding, module).weight for module in modules]


def _packed(layer: Linear, half: bool) -> Multiply:
    return _multiply(layer.weight, None, half)


def _multiply(weight: Tensor, bias: Tensor | None, half: bool) -> Multiply:
    """Multiplication by a matrix, (B, inputs) to (B, outputs)."""
    if not (half and torch.backends.quantized.engine in ("x86", "fbgemm")):
        weight = weight.contiguous()
        return lambda x: F.linear(torch.from_numpy(x), weight, bias).numpy()
    packed = torch.ops.quantized.linear_prepack_fp16(weight.contiguous(), bias)
    # without the packet around it, which looks for fake tensors among the arguments of each call
    multiply: Callable[..., Tensor] = torch.ops.quantized.linear_dynamic_fp16._op
    return lambda x: multiply(torch.from_numpy(x), packed).numpy()
