"""Codebooks by PyTorch: which codes are nearest, their sum, and the gradients of codes and inputs.

The loss is <dy, y> + mean over rows of |y - x|^2 for the codes, and <dy, x> + beta * mean |x - y|^2 for the inputs (the
sum's gradient goes straight on to them). Written with PyTorch 2.x; prints one JSON object.
"""
import json

import torch

torch.manual_seed(5)
rows, books, codes, active, width, beta = 7, 2, 9, 2, 3, 0.25
x = torch.randn(rows, books, width)
table = torch.randn(books, codes, width) * torch.rand(books, codes, 1).add(0.3)
dy = torch.randn(rows, books, width)


def choose(similarity):
    if similarity == "inner-product":
        scores = torch.einsum("rbw,bcw->rbc", x, table)
    elif similarity == "cosine":
        scores = torch.einsum("rbw,bcw->rbc", x, table / table.norm(dim=-1, keepdim=True))
    else:
        scores = -(x[:, :, None] - table[None]).norm(dim=-1)
    return scores.topk(active, dim=-1).indices


def flat(tensor):
    return [round(value, 7) for value in tensor.detach().flatten().tolist()]


result = {
    "torch": torch.__version__, "rows": rows, "books": books, "codes": codes, "active": active, "width": width,
    "commitment": beta, "x": flat(x), "table": flat(table), "dy": flat(dy), "similarities": {},
}
for similarity in ["inner-product", "cosine", "euclidean"]:
    chosen = choose(similarity)
    parameters = table.clone().requires_grad_()
    y = torch.stack([parameters[b][chosen[:, b]].sum(dim=1) for b in range(books)], dim=1)
    error = ((y - x) ** 2).sum(dim=(1, 2)).mean()
    ((dy * y).sum() + error).backward()
    inputs = x.clone().requires_grad_()
    distance = ((inputs - y.detach()) ** 2).sum(dim=(1, 2)).mean()
    ((dy * inputs).sum() + beta * distance).backward()
    result["similarities"][similarity] = {
        "chosen": chosen.flatten().tolist(), "y": flat(y), "table_gradient": flat(parameters.grad),
        "input_gradient": flat(inputs.grad),
    }
print(json.dumps(result))
