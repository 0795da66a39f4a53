"""The network as functions of tensors that stay where they are, for a row a step on a GPU.

Nothing here depends on a number that the host knows: the place in the cache is a tensor, and what
the cache does not hold yet is masked. Matrices and cache are in half precision, the stream between
the layers and all norms in fp32. Of what `model.Model` computes only the layout differs: queries,
keys and values come from one matrix, the value embeddings of all layers from another, and all
tables of a sum of embeddings are one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from musenet.attention import Turns, norm
from musenet.composing.packing import weights_of
from musenet.features import TICK
from musenet.model import Block, FeedForward, Model, MomentEmbedding
from musenet.positions import NO_TICK, Rotation, rotate, rotation_at, rotation_in_time, spans_on
from musenet.presets import TIME_WIDTH, ModelConfig
from musenet.score import TICKS_PER_BEAT

SHRUNK = {torch.float16: 1 / 16}
"""By how much activations are smaller before they are squared, so that their precision holds them;
other precisions need none of it."""


@dataclass(frozen=True)
class Memory:
    """What rows are remembered by; capacity C in positions.

    Attributes:
        keys: one tensor (B, K, C, `ModelConfig.key_width`) a layer.
        values: one tensor (B, K, C, H) a layer.
        last: embedding of the last row, (B, D), in fp32.
        last_tick: its time, (B, 1).
        positions: 0 to C - 1.
        rotation: cosines and sines of all positions, or None.
    """

    keys: list[Tensor]
    values: list[Tensor]
    last: Tensor
    last_tick: Tensor
    positions: Tensor
    rotation: Rotation | None

    @classmethod
    def empty(cls, model: Model, rows: int, capacity: int, dtype: torch.dtype) -> Memory:
        """Room for `rows` sequences of `capacity` positions."""
        config, like = model.config, model.start.weight

        def tensors(width: int) -> list[Tensor]:
            shape = (rows, config.kv_heads, capacity, width)
            return [like.new_zeros(shape, dtype=dtype) for _ in range(config.layers)]

        in_row = rotation_at(0, capacity, config.head_width, like)
        return cls(
            tensors(config.key_width), tensors(config.head_width),
            like.new_zeros((rows, config.width)),
            torch.full((rows, 1), NO_TICK, device=like.device),
            torch.arange(capacity, device=like.device),
            None if model.learned is not None else in_row,
        )  # fmt: skip


class Static:
    """All weights of a model as `trunk`, `choose` and `logits` use them."""

    def __init__(self, model: Model, dtype: torch.dtype) -> None:
        """Lay a model out where it is, its matrices in `dtype`."""
        config, heads = model.config, model.heads
        self.config, self.dtype, self.spans = config, dtype, spans_on(model.device)
        self.rows = _Sum(model.moment, weights_of(model.fields))
        self.moment = _Sum(heads.moment, weights_of(heads.chosen)[:1])
        self.chosen = weights_of(heads.chosen)
        self.learned = model.learned.weight if model.learned is not None else None
        self.previous = model.previous.weight.to(dtype) if model.previous is not None else None
        blocks = [cast(Block, block) for block in model.blocks]
        embedded = weights_of(b.attention.embedded for b in blocks if b.attention.embedded)
        self.embedded = torch.cat(embedded).to(dtype) if embedded else None
        self.blocks = [_Block(block, dtype) for block in blocks]
        self.outputs = [weight.to(dtype) for weight in weights_of(heads.outputs)]
        self.frequent = list(heads.frequent)
        self.links = [_FeedForward(cast(FeedForward, link), dtype) for link in heads.links]

    def trunk(
        self, place: Tensor, ids: Tensor, columns: Tensor, memory: Memory, span: int
    ) -> Tensor:
        """The state that foretells the next row, (B, D), once rows are taken into the memory.

        Args:
            place: at which position, shape (1,).
            ids: the rows, (B, 5).
            columns: their features, (B, F).
            memory: is written to.
            span: positions that are looked at; more than `place`.
        """
        x = self.rows(ids, columns)
        if self.previous is not None:
            shifted = F.linear(memory.last.to(self.dtype), self.previous)
            memory.last.copy_(x)
            x = x + shifted
        if self.learned is not None:
            x = x + self.learned.index_select(0, place)
        x = norm(x)
        added = self._value_embeddings(x)
        turns = self._turns(place, columns[:, TICK : TICK + 1], memory)
        unseen = memory.positions[:span] > place
        bias = x.new_zeros(1, 1, 1, span, dtype=self.dtype).masked_fill(unseen, -torch.inf)
        for layer, block in enumerate(self.blocks):
            cache = memory.keys[layer], memory.values[layer]
            x = block(x, place, added[layer], turns, cache, bias)
        return norm(x)

    def _turns(self, place: Tensor, ticks_B1: Tensor, memory: Memory) -> Turns:
        """What turns the queries and keys of rows at a position, which memory keeps the time of."""
        row = None
        if memory.rotation is not None:
            cos, sin = memory.rotation
            row = cos.index_select(0, place), sin.index_select(0, place)
        if not self.config.musical_time:
            return Turns(row, None)
        now, before = (
            rotation_in_time(ticks, self.spans, torch.float32)
            for ticks in (ticks_B1, memory.last_tick)
        )
        memory.last_tick.copy_(ticks_B1)
        return Turns(row, (_of_heads(now), _of_heads(before)))

    def _value_embeddings(self, x: Tensor) -> tuple[Tensor | None, ...]:
        """What is added to the values of each layer."""
        if self.embedded is None:
            return (None,) * len(self.blocks)
        return F.linear(x.to(self.dtype), self.embedded).chunk(len(self.blocks), dim=1)

    def logits(self, field: int, x: Tensor) -> Tensor:
        """Scores of a field's values, (B, V), in fp32."""
        scores = F.linear(norm(x).to(self.dtype), self.outputs[field]) + self.frequent[field]
        return 15.0 * torch.tanh(scores / 15.0)

    def choose(self, field: int, x: Tensor, ids: Tensor, columns: Tensor | None) -> Tensor:
        """The state for the next field, as `model.Heads.choose`; ids are (B,)."""
        if columns is None:
            return self.links[field](x + F.embedding(ids, self.chosen[field]))
        return self.links[field](x + self.moment(ids[:, None], columns))


class _Sum:
    """A sum of embeddings from one table: of fields, then of a moment."""

    def __init__(self, moment: MomentEmbedding, tables: list[Tensor]) -> None:
        device = tables[0].device
        moments = [column for column in moment.seen if column > 0]
        parts = [*tables, *weights_of(moment.tables[column - 1] for column in moments)]
        sizes = torch.tensor([0, *map(len, parts[:-1])])
        self.table = torch.cat(parts)
        self.offsets = sizes.cumsum(0).to(device)
        self.moments = torch.tensor(moments, dtype=torch.int64, device=device)
        self.waves = moment.time.weight if 0 in moment.seen else None
        half = moment.time.in_features // 2
        self.periods = 2.0 ** torch.arange(1, half + 1, device=device)

    def __call__(self, ids: Tensor, columns: Tensor) -> Tensor:
        """Chosen values, (B, tables), and features, (B, F), to (B, D)."""
        index = torch.cat([ids, columns.index_select(1, self.moments)], dim=1) + self.offsets
        x = F.embedding(index, self.table).sum(dim=1)
        if self.waves is None:
            return x
        angles = 2 * torch.pi * (columns[:, :1].float() / TICKS_PER_BEAT) / self.periods
        return x + F.linear(torch.cat([angles.sin(), angles.cos()], dim=1), self.waves)


class _FeedForward:
    """Norm and feed-forward, added to the stream."""

    def __init__(self, layer: FeedForward, dtype: torch.dtype) -> None:
        self.gelu, self.dtype = layer.activation == "gelu", dtype
        shrunk = 1.0 if self.gelu else SHRUNK.get(dtype, 1.0)
        self.up, self.down = (layer.up.weight * shrunk).to(dtype), layer.down.weight.to(dtype)
        self.grown = shrunk**-2

    def __call__(self, x: Tensor) -> Tensor:
        """Shape (B, D) to (B, D)."""
        inner = F.linear(norm(x).to(self.dtype), self.up)
        active = F.gelu(inner) if self.gelu else inner.relu().square()
        return x.add(F.linear(active, self.down), alpha=self.grown)


class _Block:
    """Attention over the cache, then feed-forward, each added to the stream."""

    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        own = block.attention
        self.config: ModelConfig = own.config
        self.dtype = dtype
        inwards = [own.query, own.key, own.value]
        if own.time_query is not None and own.time_key is not None:
            inwards += [own.time_query, own.time_key]
        self.inwards = torch.cat(weights_of(inwards)).to(dtype)
        self.outwards = own.out.weight.to(dtype)
        self.feed_forward = _FeedForward(block.feed_forward, dtype)

    def __call__(
        self, x: Tensor, place: Tensor, added: Tensor | None, turns: Turns,
        cache: tuple[Tensor, Tensor], bias: Tensor,
    ) -> Tensor:  # fmt: skip
        """The stream, (B, D), to the stream; writes into the cache, and looks up to the bias."""
        config, count, span = self.config, len(x), bias.shape[-1]
        inward = F.linear(norm(x).to(self.dtype), self.inwards)
        wide = (config.heads + 2 * config.kv_heads) * config.head_width
        heads = inward[:, :wide].view(count, -1, config.head_width)
        asking, v_BKH = heads.tensor_split([config.heads + config.kv_heads], dim=1)
        if config.qk_norm:
            asking = norm(asking.float())
        if turns.row is not None:
            asking = rotate(asking.float(), turns.row)
        if turns.time is not None:
            now, before = turns.time
            timed = inward[:, wide:].view(count, -1, TIME_WIDTH).float()
            asked, found = timed.tensor_split([config.heads], dim=1)
            turned = [rotate(asked, now), rotate(norm(found), before)]
            asking = torch.cat([asking, torch.cat(turned, dim=1)], dim=2)
        q_BNE, k_BKE = asking.to(self.dtype).tensor_split([config.heads], dim=1)
        if added is not None:
            v_BKH = v_BKH + added.view(v_BKH.shape)
        keys, values = cache
        keys.index_copy_(2, place, k_BKE[:, :, None])
        values.index_copy_(2, place, v_BKH[:, :, None])
        # the heads of a group stand as queries, and no key is copied
        q_BKGE = q_BNE.reshape(count, config.kv_heads, -1, config.key_width)
        y_BKGH = F.scaled_dot_product_attention(
            q_BKGE, keys[:, :, :span], values[:, :, :span], attn_mask=bias,
            scale=config.head_width**-0.5,
        )  # fmt: skip
        return self.feed_forward(x + F.linear(y_BKGH.reshape(count, -1), self.outwards))


def _of_heads(rotation: Rotation) -> Rotation:
    """Of one row each, (B, 1, 1, S), as heads of rows want it, (B, 1, S)."""
    cos, sin = rotation
    return cos[:, 0], sin[:, 0]
