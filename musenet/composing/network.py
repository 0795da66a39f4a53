"""The network as composing runs it: a row a step, behind a cache.

`Eager` is the model as it stands, for any device. `Packed` is the same network laid out anew
for a CPU, where a step is bound by the memory that it reads and by the number of operations:

- matrices in half precision, multiplied in fp32 (FBGEMM; any CPU with AVX2 and F16C): half the
  memory of fp32, no activation is rounded, and each row is computed alone, so that a candidate
  gets the same numbers in a batch of any size;
- queries, keys and values from one matrix; the value embeddings of all layers from another;
- all tables of a sum of embeddings in one, with one gather;
- a norm is a division, since a gain of √D stands in the matrix behind it;
- rotary pairs stand side by side, so that turning them is one complex product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
Multiply = Callable[[Tensor], Tensor]


class Network(Protocol):
    """What composing asks of the network; B candidates, a row of each at a time.

    All is called within `torch.inference_mode`.
    """

    model: Model

    def adopt(self, cache: Cache) -> None:
        """Take over a cache that the model has filled."""

    def step(self, ids: Ids, columns: Features, cache: Cache) -> Tensor:
        """The state that foretells the next row, (B, D), once rows, (B, 5), are taken in."""

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """Scores of a field's values, shape (B, V)."""

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """The state for the next field, as `model.Heads.choose`."""


def network_of(model: Model) -> Network:
    """The model laid out for where it is: on a CPU in fp32 packed, elsewhere as it stands."""
    return (
        Packed(model)
        if model.device.type == "cpu" and model.dtype == torch.float32
        else Eager(model)
    )


class Eager:
    """The model as it stands."""

    def __init__(self, model: Model) -> None:
        """Use a model on any device, in any precision."""
        self.model = model

    def adopt(self, cache: Cache) -> None:
        """Leave the cache as the model filled it."""

    def step(self, ids: Ids, columns: Features, cache: Cache) -> Tensor:
        """As `Network.step`."""
        device = self.model.device
        x_B1D = self.model.embed_events(
            torch.from_numpy(ids[:, None]).to(device), torch.from_numpy(columns[:, None]).to(device)
        )
        return self.model.trunk(x_B1D, cache)[:, -1]

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
        self.chosen = _weights(heads.chosen)
        self.rows = _Sum(model.moment, _weights(model.fields))
        self.moment = _Sum(heads.moment, self.chosen[:1])
        self.previous = _packed(model.previous, half) if model.previous is not None else None
        blocks = [cast(Block, block) for block in model.blocks]
        embedded = _weights(b.attention.embedded for b in blocks if b.attention.embedded)
        self.embedded = _multiply(torch.cat(embedded), None, half) if embedded else None
        self.turns: Tensor | None = None
        self.blocks = [_PackedBlock(block, layer, half) for layer, block in enumerate(blocks)]
        self.gain = config.width**0.5
        self.outputs = [
            _multiply(weight * (self.gain / 15.0), bias / 15.0, half)
            for weight, bias in zip(_weights(heads.outputs), heads.frequent, strict=True)
        ]
        self.links = [_PackedFeedForward(cast(FeedForward, link), half) for link in heads.links]

    @torch.inference_mode()
    def adopt(self, cache: Cache) -> None:
        """Put the rotary pairs of keys that the model made side by side."""
        if self.model.learned is not None:
            return
        capacity = cache.keys[0].shape[2]
        if self.turns is None or len(self.turns) < capacity:
            self.turns = _turns(self.model, capacity)
        for keys in cache.keys:
            held = keys[:, :, : cache.length]
            halves = held.reshape(*held.shape[:-1], 2, -1)
            held.copy_(halves.transpose(-1, -2).flatten(-2))

    def step(self, ids: Ids, columns: Features, cache: Cache) -> Tensor:
        """As `Network.step`."""
        x = self.rows(ids, columns)
        if self.previous is not None:
            shifted = self.previous(cache.last[:, 0])
            cache.last = x[:, None].clone()
            x += shifted
        if self.model.learned is not None:
            x += self.model.learned.weight[cache.length]
        x *= self.gain / _size(x)
        values = self.embedded(x).chunk(len(self.blocks), dim=-1) if self.embedded else ()
        turn = None if self.turns is None else self.turns[cache.length]
        for layer, block in enumerate(self.blocks):
            block(x, cache, turn, values[layer] if values else None)
        cache.length += 1
        return x.mul_(self.gain / _size(x))

    def logits(self, field: int, x: Tensor) -> NDArray[np.float32]:
        """As `Network.logits`."""
        scores: NDArray[np.float32] = self.outputs[field](x / _size(x)).tanh_().mul_(15.0).numpy()
        return scores

    def choose(self, field: int, x: Tensor, ids: Ids, columns: Features | None) -> Tensor:
        """As `Network.choose`."""
        if columns is not None:
            x = x + self.moment(ids[:, None], columns)
        else:
            x = x + F.embedding(torch.from_numpy(ids), self.chosen[field])
        return x.add_(self.links[field](x))


class _Sum:
    """A sum of embeddings as one gather from one table: of fields, then of a moment."""

    def __init__(self, moment: MomentEmbedding, tables: list[Tensor]) -> None:
        self.moments = [column for column in moment.seen if column > 0]
        waves = moment.time.weight.T if 0 in moment.seen else moment.time.weight.T[:0]
        parts = [*tables, *_weights(moment.tables[column - 1] for column in self.moments), waves]
        self.table = torch.cat(parts)
        sizes = [len(part) for part in parts[:-1]]
        self.offsets = np.cumsum([0, *sizes], dtype=np.int64)
        self.places = np.arange(len(waves), dtype=np.int64) + self.offsets[-1]
        self.periods = 2.0 ** np.arange(1, len(waves) // 2 + 1, dtype=np.float32)

    def __call__(self, ids: Ids, columns: Features) -> Tensor:
        """Chosen values, (B, tables), and features, (B, F), to (B, D)."""
        count, known = len(ids), ids.shape[1] + len(self.moments)
        index = np.empty((count, known + len(self.places)), dtype=np.int64)
        index[:, : ids.shape[1]] = ids
        index[:, ids.shape[1] : known] = columns[:, self.moments]
        index[:, :known] += self.offsets[:-1]
        index[:, known:] = self.places
        weights = np.ones(index.shape, dtype=np.float32)
        beats = columns[:, :1].astype(np.float32) / np.float32(TICKS_PER_BEAT)
        angles = np.float32(2 * np.pi) * beats / self.periods
        half = known + len(self.periods)
        np.sin(angles, out=weights[:, known:half])
        np.cos(angles, out=weights[:, half:])
        return F.embedding_bag(
            torch.from_numpy(index), self.table, mode="sum",
            per_sample_weights=torch.from_numpy(weights),
        )  # fmt: skip


class _PackedFeedForward:
    """Norm and feed-forward."""

    def __init__(self, layer: FeedForward, half: bool) -> None:
        self.gelu = layer.activation == "gelu"
        self.up = _multiply(layer.up.weight * layer.up.in_features**0.5, None, half)
        self.down = _packed(layer.down, half)

    def __call__(self, x: Tensor) -> Tensor:
        """Shape (B, D) to (B, D)."""
        inner = self.up(x / _size(x))
        return self.down(F.gelu(inner) if self.gelu else inner.relu_().square_())


class _PackedBlock:
    """Attention over the cache, then feed-forward, each added to the stream in place."""

    def __init__(self, block: Block, layer: int, half: bool) -> None:
        own, config = block.attention, block.attention.config
        self.layer, self.config = layer, config
        query, key = own.query.weight, own.key.weight
        if config.positions == "rotary":
            query, key = (_side_by_side(weight, config.head_width) for weight in (query, key))
        stacked = torch.cat([query, key, own.value.weight]) * config.width**0.5
        self.inwards = _multiply(stacked, None, half)
        self.outwards = _packed(own.out, half)
        self.feed_forward = _PackedFeedForward(block.feed_forward, half)

    def __call__(
        self, x: Tensor, cache: Cache, turn: Tensor | None, embedded: Tensor | None
    ) -> None:
        """Add to the stream, (B, D), in place, and to the cache."""
        config, place = self.config, cache.length
        turned = config.heads + config.kv_heads
        qkv = self.inwards(x / _size(x))
        heads = qkv.view(len(x), -1, config.head_width)
        if embedded is not None:
            qkv[:, turned * config.head_width :] += embedded
        if config.qk_norm:
            heads[:, :turned] *= config.head_width**0.5 / _size(heads[:, :turned])
        if turn is not None:
            torch.view_as_complex(heads[:, :turned].view(len(x), turned, -1, 2)).mul_(turn)
        keys, values = cache.keys[self.layer], cache.values[self.layer]
        keys[:, :, place], values[:, :, place] = heads[:, config.heads : turned], heads[:, turned:]
        q_BKGH = heads[:, : config.heads].view(len(x), config.kv_heads, -1, config.head_width)
        y_BKGH = F.scaled_dot_product_attention(
            q_BKGH, keys[:, :, : place + 1], values[:, :, : place + 1]
        )
        x += self.outwards(y_BKGH.reshape(len(x), -1))
        x += self.feed_forward(x)


def _size(x: Tensor) -> Tensor:
    """Euclidean norm of each row, (…, 1)."""
    size: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return size


def _turns(model: Model, positions: int) -> Tensor:
    """Rotations of the first positions as complex numbers, (positions, H / 2)."""
    return torch.complex(*rotation_at(0, positions, model.config, model.start.weight))


def _side_by_side(weight: Tensor, head_width: int) -> Tensor:
    """The rows of a matrix to heads, with the rotary pairs of a head side by side."""
    return weight.view(-1, 2, head_width // 2, weight.shape[1]).transpose(1, 2).flatten(0, 2)


def _weights(modules: Iterable[nn.Module]) -> list[Tensor]:
    """The weights of tables or matrices."""
    return [cast(nn.Embedding, module).weight for module in modules]


def _packed(layer: Linear, half: bool) -> Multiply:
    return _multiply(layer.weight, None, half)


def _multiply(weight: Tensor, bias: Tensor | None, half: bool) -> Multiply:
    """Multiplication by a matrix, (…, inputs) to (…, outputs)."""
    if not (half and torch.backends.quantized.engine in ("x86", "fbgemm")):
        weight = weight.contiguous()
        return lambda x: F.linear(x, weight, bias)
    packed = torch.ops.quantized.linear_prepack_fp16(weight.contiguous(), bias)
    # without the packet around it, which looks for fake tensors among the arguments of each call
    multiply: Callable[..., Tensor] = torch.ops.quantized.linear_dynamic_fp16._op
    return lambda x: multiply(x, packed)
