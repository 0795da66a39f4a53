import numpy as np
import pytest
import torch

from musenet.model import Model
from musenet.presets import PRESETS, ModelConfig
from musenet.training.throughput import cost, peak, rates, told

CONFIG = ModelConfig(layers=3, width=16, heads=4, kv_heads=2, head_width=8, context=64)


def test_an_event_costs_its_matrices_and_the_events_it_sees() -> None:
    model = Model(CONFIG)
    found = cost(model)
    assert found.pair == 6 * 3 * 4 * 8
    matrices = [
        parameter for name, parameter in model.named_parameters()
        if parameter.ndim == 2 and any(
            part in name for part in ("attention", "feed_forward", "outputs", "links", "time",
                                      "previous"))
    ]  # fmt: skip
    assert found.event == 6 * sum(parameter.numel() for parameter in matrices)


def test_windows_cost_by_their_true_lengths() -> None:
    found = cost(Model(CONFIG))
    one = found.of([np.array([10, 20])])
    assert one == found.event * 30 + found.pair * 500
    assert found.of([np.array([10]), np.array([20])]) == one
    assert found.of([]) == 0


def test_the_cost_of_the_small_preset_is_what_the_docs_say() -> None:
    found = cost(Model(PRESETS["small"]()))
    assert (found.event + 4096 * found.pair) / 1e6 == pytest.approx(315, abs=3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("NVIDIA H200", 989e12), ("NVIDIA H100 80GB HBM3", 989e12), ("NVIDIA H100 PCIe", 756e12),
     ("NVIDIA GeForce", None)],
)  # fmt: skip
def test_peaks(name: str, expected: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    assert peak(torch.device("cuda")) == expected
    assert peak(torch.device("cpu")) is None


def test_rates_are_told() -> None:
    assert rates(4e12, 100, 2.0, None) == {"events_per_second": 50, "tflops": 2}
    facts = rates(4e12, 1000, 0.5, 16e12)
    assert facts["mfu"] == 0.5
    assert told(facts) == "2,000 events/s  8 TFLOP/s  MFU 50.0%"
    assert "MFU" not in told(rates(4e12, 100, 2.0, None))
