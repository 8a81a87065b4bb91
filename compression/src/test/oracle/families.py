"""What transformers computes for the tiny models of DecoderTest's families, and for students.

    pip install torch transformers safetensors
    python families.py references CONFIGS.jsonl
    python families.py students FOLDER

`references` reads a name and a config.json a line, gives each tensor the weights that TinyModels gives it (a
hash of its name and index), and prints the first eight logits of the last of 21 positions and the
norm of all: the numbers of DecoderTest.

`students` loads each folder under FOLDER that holds a config.json and a logits.json
({"ids": [...], "logits": [...]}, written by StudentsTest), and fails if transformers misses a tensor, finds
one that it does not expect, or computes other logits.
"""
import json, os, sys
import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

MASK = 0xFFFFFFFF


def weights(name, shape):
    name_hash = 0
    for c in name:
        name_hash = (name_hash * 31 + ord(c)) & MASK
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    u = (i * np.uint64(2654435761) + np.uint64(name_hash * 40503)) & np.uint64(MASK)
    u ^= u >> np.uint64(15)
    u = u * np.uint64(2246822519) & np.uint64(MASK)
    u ^= u >> np.uint64(13)
    v = (u >> np.uint64(8)).astype(np.float32) / np.float32(16777216) - np.float32(0.5)
    v = 1 + v * np.float32(0.5) if len(shape) == 1 else v * np.float32(0.4)
    return torch.from_numpy(v.astype(np.float32).reshape(shape))


def references(path):
    for line in open(path):
        name, config = line.split("\t", 1)
        values = json.loads(config)
        made = AutoConfig.for_model(**values)
        made._attn_implementation = "eager"
        model = AutoModelForCausalLM.from_config(made, dtype=torch.float32).eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                parameter.copy_(weights(key, tuple(parameter.shape)))
            ids = torch.tensor([[(i * 7 + 3) % 64 for i in range(21)]])
            logits = model(ids).logits[0].double()
        print(name, [round(x, 5) for x in logits[20, :8].tolist()], round(logits.norm().item(), 4))


def students(folder):
    for name in sorted(os.listdir(folder)):
        at = os.path.join(folder, name)
        if not os.path.exists(os.path.join(at, "logits.json")):
            continue
        model, loaded = AutoModelForCausalLM.from_pretrained(
            at, dtype=torch.float32, attn_implementation="eager", output_loading_info=True)
        wrong = [k for k in ("missing_keys", "unexpected_keys", "mismatched_keys") if loaded[k]]
        expected = json.load(open(os.path.join(at, "logits.json")))
        with torch.no_grad():
            logits = model.eval()(torch.tensor([expected["ids"]])).logits[0].flatten()
        difference = (logits - torch.tensor(expected["logits"])).abs().max().item()
        print(name, type(model).__name__, "difference", difference, wrong or "all keys", flush=True)
        if wrong or not difference < 1e-4:
            sys.exit(f"{name}: {[loaded[k] for k in wrong]} difference {difference}")


if __name__ == "__main__":
    {"references": references, "students": students}[sys.argv[1]](sys.argv[2])
