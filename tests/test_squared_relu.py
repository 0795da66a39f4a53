"""The squared ReLU."""

import pytest
import torch

from musenet.squared_relu import squared_relu


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_squared_relu_and_its_gradient_are_those_of_autograd(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    x = torch.cat([torch.randn(99), torch.zeros(1)]).to(dtype)
    along = torch.randn(100).to(dtype)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [squared_relu(inputs[0]), inputs[1].relu().square()]
    for output in outputs:
        output.backward(along)  # type: ignore[no-untyped-call]
    assert torch.equal(*outputs)
    gradients = [own.grad for own in inputs]
    assert gradients[0] is not None and gradients[1] is not None
    assert torch.equal(gradients[0], gradients[1]) and gradients[0].any()


def test_it_can_be_compiled_as_one_graph() -> None:
    compiled = torch.compile(squared_relu, backend="eager", fullgraph=True)
    x = torch.tensor([-1.0, 0.0, 3.0], requires_grad=True)
    y = compiled(x)
    y.sum().backward()
    assert y.tolist() == [0.0, 0.0, 9.0]
    assert x.grad is not None and x.grad.tolist() == [0.0, 0.0, 6.0]
