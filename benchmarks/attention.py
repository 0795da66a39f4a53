"""Attention there and back on a CPU, in blocks of queries and by torch's fused kernel.

    python benchmarks/attention.py [--preset mini] [--lengths 512 1024 1984] [--clock cpu]

One sequence of random queries, keys and values with the heads of a preset, forward and backward.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from common import parse, parser, run, tell, times
from torch import Tensor

from musenet import attention
from musenet.blocked import attend_in_blocks
from musenet.presets import PRESETS


def main() -> None:
    """Measure and print."""
    made = parser(__doc__)
    made.add_argument("--preset", choices=PRESETS, default="mini", help="whose heads")
    made.add_argument("--lengths", type=int, nargs="+", default=[512, 1024, 1984], help="rows")
    arguments = parse(made)
    torch.set_num_threads(arguments.threads)
    config = PRESETS[arguments.preset]()
    rows = []
    for dtype in (torch.float32, torch.bfloat16):
        for length in arguments.lengths:
            q, k, v = (
                torch.randn(1, heads, length, width, dtype=dtype, requires_grad=True)
                for heads, width in (
                    (config.heads, config.key_width),
                    (config.kv_heads, config.key_width),
                    (config.kv_heads, config.head_width),
                )
            )
            taken = times(
                {
                    "fused": _there_and_back(attention.attend_fused, q, k, v),
                    "in blocks": _there_and_back(attend_in_blocks, q, k, v),
                },
                arguments,
            )
            seconds = [taken[name].best for name in ("fused", "in blocks")]
            name = str(dtype).removeprefix("torch.")
            rows.append((name, length, *(1e3 * own for own in seconds), seconds[0] / seconds[1]))
    columns = ("precision", "rows", "fused, ms", "in blocks, ms", "times as fast")
    tell(arguments, columns, rows, {"preset": arguments.preset})


def _there_and_back(
    attend: Callable[[Tensor, Tensor, Tensor], Tensor], *inputs: Tensor
) -> Callable[[], object]:
    def work() -> None:
        y = attend(*inputs)
        torch.autograd.grad(y, inputs, torch.ones_like(y))

    return work


if __name__ == "__main__":
    run(main)
