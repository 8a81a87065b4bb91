"""The distillation step of DistillationBench in eager PyTorch: prints the tokens/s of each step.

usage: distillation_step.py {bfloat16|float32} BATCH LENGTH STEPS
       LAYERS HEADS KEY_VALUE_HEADS HEAD_DIM VOCABULARY
       TEACHER_HIDDEN TEACHER_INTERMEDIATE STUDENT_HIDDEN STUDENT_INTERMEDIATE
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

dtype = getattr(torch, sys.argv[1])
batch, length, steps = (int(a) for a in sys.argv[2:5])
LAYERS, HEADS, KEY_VALUE_HEADS, HEAD_DIM, VOCABULARY, *SHAPES = (int(a) for a in sys.argv[5:14])


def rotate(x, cos, sin):
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


class Layer(nn.Module):
    def __init__(self, hidden, intermediate):
        super().__init__()
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.norm1, self.norm2 = nn.RMSNorm(hidden, eps=1e-5), nn.RMSNorm(hidden, eps=1e-5)
        self.q, self.o = linear(hidden, HEADS * HEAD_DIM), linear(HEADS * HEAD_DIM, hidden)
        self.k, self.v = (linear(hidden, KEY_VALUE_HEADS * HEAD_DIM) for _ in range(2))
        self.gate, self.up = linear(hidden, intermediate), linear(hidden, intermediate)
        self.down = linear(intermediate, hidden)

    def forward(self, x, cos, sin):
        n = self.norm1(x)
        heads = lambda y: y.unflatten(-1, (-1, HEAD_DIM)).transpose(1, 2)
        q, k, v = rotate(heads(self.q(n)), cos, sin), rotate(heads(self.k(n)), cos, sin), heads(self.v(n))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.o(mixed.transpose(1, 2).flatten(2))
        n = self.norm2(x)
        return x + self.down(F.silu(self.gate(n)) * self.up(n))


class Model(nn.Module):
    def __init__(self, hidden, intermediate):
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, hidden)
        self.layers = nn.ModuleList(Layer(hidden, intermediate) for _ in range(LAYERS))
        self.norm = nn.RMSNorm(hidden, eps=1e-5)
        frequencies = 10000.0 ** (-torch.arange(0, HEAD_DIM, 2) / HEAD_DIM)
        angles = torch.outer(torch.arange(length), frequencies).repeat(1, 2)
        self.cos, self.sin = angles.cos().to(dtype), angles.sin().to(dtype)
        for matrix in self.parameters():
            if matrix.dim() == 2:
                nn.init.normal_(matrix, std=0.02)

    def forward(self, ids):
        x = self.embed(ids)
        for layer in self.layers:
            x = layer(x, self.cos, self.sin)
        return F.linear(self.norm(x), self.embed.weight).float()


torch.manual_seed(1)
teacher = Model(*SHAPES[:2]).to(dtype).requires_grad_(False)
student = Model(*SHAPES[2:]).to(dtype)
optimizer = torch.optim.AdamW(student.parameters(), lr=1e-4)
for _ in range(steps):
    start = time.perf_counter()
    ids = torch.randint(VOCABULARY, (batch, length))
    with torch.no_grad():
        taught = F.log_softmax(teacher(ids), dim=-1).flatten(0, 1)
    said = F.log_softmax(student(ids), dim=-1).flatten(0, 1)
    loss = F.kl_div(said, taught, reduction="batchmean", log_target=True)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    loss.item()
    print(batch * length / (time.perf_counter() - start), flush=True)
