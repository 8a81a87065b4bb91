"""Times llama.cpp, through llama-cpp-python: the peer of `bench/run engine`.

usage: llama_cpp_engine.py MODEL.gguf THREADS

Reads a line a measurement, `prompt TOKENS` or `answer SEQUENCES TOKENS`, and answers with tokens/s.
"""
import ctypes
import random
import sys
import time

import llama_cpp

CONTEXT = 2048


@llama_cpp.llama_log_callback
def quiet(level, text, data):
    pass


def open_model(path, threads):
    llama_cpp.llama_log_set(quiet, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    model = llama_cpp.llama_model_load_from_file(path.encode(), llama_cpp.llama_model_default_params())
    settings = llama_cpp.llama_context_default_params()
    settings.n_ctx = CONTEXT
    settings.n_batch = CONTEXT
    settings.n_ubatch = 512
    settings.n_seq_max = 64
    settings.kv_unified = True
    settings.n_threads = threads
    settings.n_threads_batch = threads
    return model, llama_cpp.llama_init_from_model(model, settings)


class Peer:
    def __init__(self, path, threads):
        self.model, self.context = open_model(path, threads)
        self.vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))

    def forget(self):
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)

    def step(self, rows):
        """Runs rows of (position, sequence, whether its logits are wanted) with random tokens."""
        batch = llama_cpp.llama_batch_init(len(rows), 0, 1)
        batch.n_tokens = len(rows)
        for i, (position, sequence, wanted) in enumerate(rows):
            batch.token[i] = random.randrange(self.vocabulary)
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = wanted
        start = time.perf_counter()
        if llama_cpp.llama_decode(self.context, batch) != 0:
            sys.exit("llama_decode failed")
        llama_cpp.llama_synchronize(self.context)
        seconds = time.perf_counter() - start
        llama_cpp.llama_batch_free(batch)
        return seconds

    def prompt(self, tokens):
        self.forget()
        return tokens / self.step([(i, 0, i == tokens - 1) for i in range(tokens)])

    def answer(self, sequences, tokens):
        self.forget()
        seconds = 0
        for position in range(tokens + 1):
            took = self.step([(position, s, True) for s in range(sequences)])
            seconds += took if position else 0
        return sequences * tokens / seconds


def main():
    peer = Peer(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        what, *numbers = line.split()
        print(getattr(peer, what)(*map(int, numbers)), flush=True)


main()
