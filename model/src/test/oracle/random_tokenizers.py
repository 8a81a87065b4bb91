"""Writes tokenizers with random options, random texts, and the ids that Hugging Face's tokenizers
gives for them, a line of JSON each: what RandomTokenizersTest holds Penjing against.

    pip install tokenizers
    python random_tokenizers.py TOKENIZERS TEXTS_EACH SEED OUT.jsonl

The test's own file was made by 24 20 11 with tokenizers 0.23.3, and compressed by gzip. Where the
library panics over a text (0.23.3 does, over some white space), it is left out.
"""
import json, random, sys
from tokenizers import Tokenizer, models, trainers, pre_tokenizers, normalizers, decoders, AddedToken
n, per, seed, out = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
r = random.Random(seed)
CORPUS = ["the cat sat on the mat in new york", "New York is a city. The city is big!", "hello world  two  spaces", "123 numbers 4567", "über straße Ünïcode naïve", "日本語 テキスト", "don't can't won't", "tabs\tand\nnewlines\r\n", "emoji 😀 family 👨‍👩‍👧"] * 3
ALPH = list("abcdefghijklmnopqrstuvwxyz THECATnewyork  \t\n0123456789.,!'") + ["ü","ß","é","\u0301","日","本","😀","\u00a0","\u0085","\u001f","\u2003","\u200d","ﬁ","Ⅷ","▁","<s>","<|user|>","new york","  ","²"]
def text():
    k = r.random()
    if k < .3: return r.choice(CORPUS)
    return "".join(r.choice(ALPH) for _ in range(r.randint(0, 24)))
with open(out, "w") as f:
    for i in range(n):
        byte = r.random() < .4
        t = Tokenizer(models.BPE(byte_fallback=not byte, unk_token=None if byte else "<unk>", fuse_unk=False))
        norm = r.choice(["none", "none", "nfc", "nfkc", "prep", "repl"])
        if norm == "nfc": t.normalizer = normalizers.NFC()
        if norm == "nfkc": t.normalizer = normalizers.NFKC()
        if norm == "repl": t.normalizer = normalizers.Replace("e", "i")
        if norm == "prep" and not byte: t.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
        scheme = r.choice(["first", "always", "never"])
        if byte:
            parts = []
            if r.random() < .4: parts.append(pre_tokenizers.Digits(individual_digits=r.random() < .5))
            parts.append(pre_tokenizers.ByteLevel(add_prefix_space=r.random() < .3, use_regex=r.random() < .8))
            t.pre_tokenizer = pre_tokenizers.Sequence(parts) if len(parts) > 1 else parts[0]
            t.decoder = decoders.ByteLevel()
        elif norm != "prep":
            t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme=scheme, split=r.random() < .7)
            t.decoder = decoders.Metaspace(replacement="▁", prepend_scheme=scheme)
        special = ["<unk>", "<s>"] + ([] if byte else ["<0x%02X>" % b for b in range(256)])
        t.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=(340 if not byte else 330) + r.randint(0, 80), special_tokens=special[:2], initial_alphabet=pre_tokenizers.ByteLevel.alphabet() if byte else [], show_progress=False))
        j = json.loads(t.to_str())
        if not byte:
            v = j["model"]["vocab"]; base = max(v.values()) + 1
            for b in range(256):
                v.setdefault("<0x%02X>" % b, base + b)
        t = Tokenizer.from_str(json.dumps(j))
        for c in ["<|user|>", "new york", "<x>", "the", "ü", "  ", "Ⅷ"]:
            if r.random() < .4:
                a = AddedToken(c, single_word=False, lstrip=r.random() < .4, rstrip=r.random() < .4, normalized=r.random() < .5, special=False)
                if r.random() < .4: t.add_special_tokens([AddedToken(c, lstrip=a.lstrip, rstrip=a.rstrip, normalized=a.normalized, special=True)])
                else: t.add_tokens([a])
        texts, ids = [], []
        while len(texts) < per:
            x = text()
            try:
                ids.append(t.encode(x, add_special_tokens=False).ids)
                texts.append(x)
            except BaseException:  # pyo3's panic is no Exception
                pass
        json.dump({"tokenizer": json.loads(t.to_str()), "texts": texts, "ids": ids}, f, ensure_ascii=False)
        f.write("\n")
