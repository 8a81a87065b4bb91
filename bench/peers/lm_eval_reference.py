"""Runs lm-evaluation-harness's own task code, its YAML files untouched, on local data: reference scores.

usage: lm_eval_reference.py --model FOLDER --data FOLDER --to FILE.jsonl --tasks winogrande,mmlu [...]

The tasks are winogrande, arc_challenge, mmlu, hellaswag, gsm8k and truthfulqa_mc2. Their data lie in
folders of those names (truthfulqa for the last), in the form in which the benchmarks are published,
and are given to the tasks in place of the hub's. Of MMLU those subjects run that the data have.

A run writes JSON lines: a line "run" with its settings, a line for each document with the requests
as the model saw them and what came of them, and a line "scores". Contexts that all requests of a
document share stand once. The margin of an answer is the least distance, over its tokens, of the
chosen token's logit to the next one's: where it is small, rounding may choose another (only with
batch size 1).
"""
import argparse
import bz2
import csv
import gzip
import hashlib
import json
import os
import pathlib
import time

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

import datasets
import lm_eval
import lm_eval.tasks
import torch
import transformers
from lm_eval.models.huggingface import HFLM

FOLDERS = {
    "allenai/winogrande": "winogrande",
    "allenai/ai2_arc": "arc_challenge",
    "cais/mmlu": "mmlu",
    "Rowan/hellaswag": "hellaswag",
    "openai/gsm8k": "gsm8k",
    "truthfulqa/truthful_qa": "truthfulqa",
}
YAML = ("winogrande", "arc", "mmlu/default", "hellaswag", "gsm8k", "truthfulqa")
SPLITS = {"validation": ("validation", "val"), "train": ("train",), "test": ("test",), "dev": ("dev",)}


def lines(path):
    opened = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.reader(file))
        if path.suffix == ".json":
            return json.load(file)
        return [json.loads(line) for line in file.read().split("\n") if line]


def file_of(folder, split, subject=None):
    names = [f"{subject}_{n}" if subject else n for n in SPLITS[split]]
    for path in sorted(folder.rglob("*")):
        stem = path.name.split(".")[0]
        if path.is_file() and any(stem == n or (not subject and stem.endswith("_" + n)) for n in names):
            return path
    return None


def arc(row):
    if isinstance(row["choices"], dict):
        return {key: row[key] for key in ("id", "question", "choices", "answerKey")}
    labels = [chr(ord("A") + i) for i in range(len(row["choices"]))]
    return {
        "id": row["id"],
        "question": row["question"],
        "choices": {"text": row["choices"], "label": labels},
        "answerKey": labels[row["gold"]],
    }


def mmlu(row, subject):
    if isinstance(row, dict):
        return {"question": row["question"], "choices": row["choices"], "answer": row["answer"]}
    answer = int(row[5]) if row[5].isdigit() else "ABCD".index(row[5])
    return {"question": row[0], "subject": subject, "choices": row[1:5], "answer": answer}


def truthful(row):
    def targets(key):
        return {"choices": list(row[key]), "labels": list(row[key].values())}

    return {key: targets(key) if key.endswith("targets") else row[key] for key in ("question", "mc1_targets", "mc2_targets")}


def rows_of(root, folder, split, subject):
    if folder == "truthfulqa":
        path = next((p for p in (root / folder / n for n in ("mc_task.v0.json", "mc_task.json")) if p.is_file()), None)
        return [truthful(row) for row in lines(path)] if path and split == "validation" else None
    if folder == "hellaswag" and split == "validation" and (root / folder / "hellaswag_val_olmes_sample.jsonl").is_file():
        path = root / folder / "hellaswag_val_olmes_sample.jsonl"
    elif folder == "hellaswag" and split == "train" and (root / folder / "hellaswag_train_fewshot14.jsonl").is_file():
        path = root / folder / "hellaswag_train_fewshot14.jsonl"
    else:
        path = file_of(root / folder, split, subject if folder == "mmlu" else None)
    if path is None:
        return None
    rows = lines(path)
    if folder == "mmlu":
        return [mmlu(row, subject) for row in rows if isinstance(row, dict) or row[0] != "question"]
    return [arc(row) for row in rows] if folder == "arc_challenge" else rows


def dataset(rows):
    if "query" not in rows[0]:
        return datasets.Dataset.from_list(rows)
    # HellaSwag in the form that the task's own preparation makes, which must not run twice
    made = datasets.Dataset.from_list([{**r, "label": str(r["gold"])} for r in rows])
    made.map = lambda prepare: made
    return made


def load_dataset_of(root):
    def load(path, name=None, **rest):
        splits = {}
        for split in SPLITS:
            rows = rows_of(root, FOLDERS[path], split, name)
            if rows:
                splits[split] = dataset(rows)
        if not splits:
            raise SystemExit(f"no data of {path} {name or ''} in {root / FOLDERS[path]}")
        return splits

    return load


class Watched(HFLM):
    """Counts tokens and seconds, and remembers how many tokens each request was made of."""

    def __init__(self, share, **settings):
        super().__init__(**settings)
        self.share = share
        self.lengths = {}
        self.margins = {}
        self.work = {"requests": 0, "request_tokens": 0, "forward_tokens": 0, "generated_tokens": 0}
        self.work |= {"wall_seconds": 0.0, "cpu_seconds": 0.0}

    def _timed(self, call, requests):
        wall, cpu = time.perf_counter(), time.process_time()
        answers = call(requests)
        self.work["wall_seconds"] += time.perf_counter() - wall
        self.work["cpu_seconds"] += time.process_time() - cpu
        self.work["requests"] += len(requests)
        return answers

    def loglikelihood(self, requests, disable_tqdm=True):
        return self._timed(super().loglikelihood, requests)

    def generate_until(self, requests, disable_tqdm=True):
        return self._timed(super().generate_until, requests)

    def _loglikelihood_tokens(self, requests, **rest):
        for texts, context, continuation in requests:
            self.lengths[texts] = [len(context), len(continuation)]
            self.work["request_tokens"] += min(len(context) + len(continuation) - 1, self.max_length)
        return self._shared(requests) if self.share else super()._loglikelihood_tokens(requests, **rest)

    @torch.no_grad()
    def _shared(self, requests):
        tokens = [(context + continuation)[-(self.max_length + 1) :] for _, context, continuation in requests]
        answers = [None] * len(requests)
        cache, before, made = transformers.DynamicCache(), [], None
        for i in sorted(range(len(requests)), key=lambda i: tokens[i]):
            given, wanted = tokens[i][:-1], torch.tensor(requests[i][2])
            if given != before or len(made) != len(wanted):
                alike = len(os.path.commonprefix([before, given[: len(given) - len(wanted)]]))
                if alike < len(before):
                    cache.crop(alike - len(before))
                rest, before = given[alike:], given
                self.work["forward_tokens"] += len(rest)
                made = self.model(torch.tensor([rest]), past_key_values=cache, logits_to_keep=len(wanted)).logits[0]
            chosen = made.log_softmax(-1).gather(1, wanted[:, None])
            answers[i] = (float(chosen.sum()), bool((made.argmax(-1) == wanted).all()))
        return answers

    def _model_call(self, inps, *rest, **settings):
        self.work["forward_tokens"] += inps.numel()
        return super()._model_call(inps, *rest, **settings)

    def tok_batch_encode(self, strings, **settings):
        self.prompts = strings
        return super().tok_batch_encode(strings, **settings)

    def _model_generate(self, context, max_length, stop, **settings):
        made = super()._model_generate(context, max_length, stop, **settings)
        if len(self.prompts) == 1:
            with torch.no_grad():
                best = self.model(made[:, :-1]).logits[0, context.shape[1] - 1 :].topk(2).values
            self.margins[self.prompts[0]] = float((best[:, 0] - best[:, 1]).min())
        self.work["request_tokens"] += context.numel()
        self.work["generated_tokens"] += (made.shape[1] - context.shape[1]) * made.shape[0]
        return made


def task_manager(root):
    tasks = pathlib.Path(lm_eval.tasks.__file__).parent
    manager = lm_eval.tasks.TaskManager(include_defaults=False, include_path=[str(tasks / y) for y in YAML])
    for entry in manager.task_index.values():
        if entry.name.startswith("mmlu_") and entry.tags and not entry.yaml_path:
            entry.tags = {t for t in entry.tags if file_of(root / "mmlu", "test", t.removeprefix("mmlu_"))}
    return manager


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def number(value):
    return round(float(value), 6)


def document(sample, lm, whole):
    line = {"task": sample["task"], "doc": sample["doc_id"]}
    contexts = [arguments[0] for arguments in sample["arguments"]]
    contexts = contexts[:1] if len(set(contexts)) == 1 else contexts
    if whole:
        line["contexts"] = contexts
    else:
        line["contexts_sha256"] = [digest(c) for c in contexts]
    if isinstance(sample["arguments"][0][1], dict):
        line |= {"answer": sample["resps"][0][0], "filtered": {}, "exact_match": {}}
        if contexts[0] in lm.margins:
            line["margin"] = number(lm.margins[contexts[0]])
        return line
    answers = [response[0] for response in sample["resps"]]
    line["continuations"] = [arguments[1] for arguments in sample["arguments"]]
    line["tokens"] = [lm.lengths[tuple(arguments)] for arguments in sample["arguments"]]
    line["loglikelihoods"] = [number(loglikelihood) for loglikelihood, _ in answers]
    line["greedy"] = [bool(greedy) for _, greedy in answers]
    line |= {metric: number(sample[metric]) for metric in sample["metrics"]}
    return line


def documents(results, lm, hashed):
    for task, samples in results["samples"].items():
        made = {}
        for sample in samples:
            sample["task"] = task
            key = sample["doc_id"]
            if key not in made:
                made[key] = document(sample, lm, not hashed or not made)
            if "filtered" in made[key]:
                made[key]["filtered"][sample["filter"]] = sample["filtered_resps"][0]
                made[key]["exact_match"][sample["filter"]] = number(sample["exact_match"])
        yield from made.values()


def run(options):
    root = pathlib.Path(options.data)
    datasets.load_dataset = load_dataset_of(root)
    if options.threads:
        torch.set_num_threads(options.threads)
    lm = Watched(
        share=options.share,
        pretrained=options.model,
        dtype="float32",
        device="cpu",
        batch_size=options.batch_size,
        max_length=options.max_length,
        add_bos_token=True if options.bos else None,
    )
    manager = task_manager(root)
    loaded = manager.load(options.tasks.split(","))
    limits = dict(one.split("=") for one in options.limit_of)
    samples = None
    if options.limit or limits:
        samples = {
            name: list(range(min(int(limits.get(name, options.limit or 10**9)), len(task.eval_docs))))
            for name, task in loaded["tasks"].items()
        }
    results = lm_eval.simple_evaluate(
        model=lm,
        tasks=list(options.tasks.split(",")),
        task_manager=manager,
        num_fewshot=options.num_fewshot,
        samples=samples,
        apply_chat_template=options.chat != "none",
        fewshot_as_multiturn=options.chat == "turns",
        gen_kwargs={"max_gen_toks": options.max_gen_toks} if options.max_gen_toks else None,
        bootstrap_iters=100000,
        log_samples=True,
    )
    settings = {
        "tasks": options.tasks,
        "num_fewshot": results["n-shot"],
        "bos": options.bos,
        "chat": options.chat,
        "max_length": lm.max_length,
        "max_gen_toks": options.max_gen_toks or lm.max_gen_toks,
        "batch_size": options.batch_size,
        "share": options.share,
        "lm_eval": lm_eval.__version__,
        "transformers": transformers.__version__,
        "torch": torch.__version__,
    }
    scores = {key: results[key] for key in ("results", "groups", "group_subtasks", "versions", "n-shot", "n-samples") if key in results}
    with open(options.to, "a" if options.append else "w", encoding="utf-8") as file:
        for line in ({"run": settings}, *documents(results, lm, options.hashed), {"scores": scores}):
            file.write(json.dumps(line, ensure_ascii=False, default=float) + "\n")
    work = {key: round(value, 3) for key, value in lm.work.items()}
    print(json.dumps({"run": settings, "work": work, "threads": torch.get_num_threads()}), flush=True)
    for name, values in results["results"].items():
        print(name, {k: v for k, v in values.items() if "," in k}, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder in Hugging Face form")
    parser.add_argument("--data", required=True, help="the folder of the benchmarks' folders")
    parser.add_argument("--to", required=True, help="the file to write")
    parser.add_argument("--tasks", required=True)
    parser.add_argument("--num-fewshot", type=int)
    parser.add_argument("--limit", type=int, help="the first documents of each task")
    parser.add_argument("--limit-of", action="append", default=[], metavar="TASK=N", help="another limit for one task")
    parser.add_argument("--bos", action="store_true", help="add_bos_token=True")
    parser.add_argument("--chat", choices=("none", "turns", "one"), default="none", help="chat template: shots as turns, or all in one turn")
    parser.add_argument("--max-length", type=int)
    parser.add_argument("--max-gen-toks", type=int)
    parser.add_argument("--batch-size", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--share", action="store_true", help="compute what token sequences begin with alike only once: the same likelihoods but for rounding, in less time")
    parser.add_argument("--append", action="store_true", help="add a run to the file")
    parser.add_argument("--hashed", action="store_true", help="write contexts as SHA-256, but for a task's first document")
    run(parser.parse_args())


if __name__ == "__main__":
    main()
