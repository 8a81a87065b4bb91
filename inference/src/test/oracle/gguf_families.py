"""Holds the GGUF files of FamiliesTest against transformers, by way of llama.cpp.

    mvn -pl inference test -Dtest=FamiliesTest -DargLine=-Dpenjing.models=FOLDER
    pip install torch transformers;  python gguf_families.py transformers FOLDER
    pip install llama-cpp-python;    python gguf_families.py llama FOLDER

`transformers` loads each FOLDER/NAME/model (no tensor may be missing or left over) and writes logits
of 40 tokens and 40 greedy tokens; `llama` computes the same from FOLDER/NAME/model.gguf, which holds
the same weights in float32, and fails where logits differ by more than float16 keys and values
explain, or where greedy tokens part though no two are nearly as likely.
"""
import json, os, sys

NEAR = 0.05


def folders(root):
    return [os.path.join(root, n) for n in sorted(os.listdir(root))]


def transformers_side(root):
    import torch
    from transformers import AutoModelForCausalLM
    for at in folders(root):
        model, loaded = AutoModelForCausalLM.from_pretrained(
            os.path.join(at, "model"), dtype=torch.float32, attn_implementation="eager",
            output_loading_info=True)
        if loaded["missing_keys"] or loaded["unexpected_keys"]:
            sys.exit(f"{at}: {loaded}")
        ids = [(i * 37 + 11) % model.config.vocab_size for i in range(40)]
        greedy = [5, 17, 40]
        with torch.no_grad():
            logits = model.eval()(torch.tensor([ids])).logits[0].tolist()
            for _ in range(40):
                greedy.append(int(model(torch.tensor([greedy])).logits[0, -1].argmax()))
        with open(os.path.join(at, "transformers.json"), "w") as out:
            json.dump({"ids": ids, "logits": logits, "greedy": greedy}, out)


def llama_side(root):
    import numpy as np
    from llama_cpp import Llama
    for at in folders(root):
        expected = json.load(open(os.path.join(at, "transformers.json")))
        model = Llama(os.path.join(at, "model.gguf"), n_ctx=256, logits_all=True, verbose=False)

        def logits(ids):
            model.reset()
            model.eval(ids)
            return np.array(model.scores[:len(ids)])

        difference = np.abs(logits(expected["ids"]) - np.array(expected["logits"])).max()
        ids, parted = expected["greedy"][:3], ""
        for token in expected["greedy"][3:]:
            last = logits(ids)[-1]
            if int(last.argmax()) != token:
                margin = float(last.max() - last[token])
                parted = f"part after {len(ids)} by a margin of {margin}"
                if margin > NEAR:
                    sys.exit(f"{at}: greedy tokens {parted}")
                break
            ids.append(token)
        print(os.path.basename(at), "difference", difference, parted or "greedy tokens equal", flush=True)
        if difference > NEAR:
            sys.exit(f"{at}: logits differ by {difference}")


if __name__ == "__main__":
    {"transformers": transformers_side, "llama": llama_side}[sys.argv[1]](sys.argv[2])
