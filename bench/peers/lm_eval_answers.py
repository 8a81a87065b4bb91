"""Gives answers to GSM8K's filters and metric of lm-evaluation-harness, its YAML file untouched.

usage: lm_eval_answers.py DATA ANSWERS.jsonl

DATA holds the folder gsm8k, which the task wants to see. ANSWERS.jsonl has lines
{"answer": what a model wrote, "gold": the published answer}; it is written anew with "filtered" and
"exact_match" besides, by filter.
"""
import json
import pathlib
import sys

import datasets
import lm_eval_reference as reference
from lm_eval.api.instance import Instance

root, answers = (pathlib.Path(argument) for argument in sys.argv[1:])
datasets.load_dataset = reference.load_dataset_of(root)
task = reference.task_manager(root).load("gsm8k")["tasks"]["gsm8k"]
given = reference.lines(answers)
with open(answers, "w", encoding="utf-8") as file:
    for line in given:
        doc = {"question": "", "answer": line["gold"]}
        instance = Instance("generate_until", doc, ("", {}), 0, ("gsm8k", 0, 1), resps=[line["answer"]])
        for ensemble in task._filters:
            ensemble.apply([instance])
        line["filtered"] = instance.filtered_resps
        line["exact_match"] = {
            name: float(task.process_results(doc, [found])["exact_match"]) for name, found in line["filtered"].items()
        }
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
