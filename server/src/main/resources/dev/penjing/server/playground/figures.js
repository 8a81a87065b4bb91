// What an answer cost: measured in the browser, counted by the server.

import { h, setText } from "./dom.js";
import { rate, time } from "./format.js";

const FIGURES = [
  ["first", "First token", "From sending the request to the first piece of the answer"],
  ["rate", "Tokens/s", "Tokens after the first, by the time that they took"],
  ["prompt", "Prompt", "Tokens of the prompt"],
  ["cached", "Cached", "Tokens of the prompt whose keys and values were still there"],
  ["completion", "Answer", "Tokens of the answer"],
  ["finish", "Finish", "Why the answer ended"],
  ["total", "Total", "From sending the request to the end"],
];

export class Figures {
  #start = 0;
  #first;
  #last;
  #end;
  #pieces = 0;
  #usage = null;
  #finish = null;
  #cells = new Map();

  constructor() {
    this.element = h("dl", { class: "figures", "data-testid": "figures" }, ...FIGURES.map(([name, label, title]) => {
      const value = h("dd", { "data-testid": `figure-${name}`, text: "–" });
      this.#cells.set(name, value);
      return h("div", { title }, h("dt", { text: label }), value);
    }));
  }

  start() {
    this.#start = performance.now();
  }

  /** A piece of text came; one is about a token, until the server has counted. */
  piece() {
    const now = performance.now();
    this.#first ??= now;
    this.#last = now;
    this.#pieces++;
  }

  usage(usage) {
    this.#usage = usage;
  }

  /** An answer that came in one piece has no first token. */
  whole() {
    this.#first = undefined;
  }

  end(finish) {
    this.#end = performance.now();
    this.#finish = finish;
    this.draw();
  }

  get tokens() {
    return this.#usage?.completion_tokens ?? this.#pieces;
  }

  /** Tokens a second, or NaN while there are too few to say. */
  get rate() {
    if (this.#first !== undefined) {
      const seconds = (this.#last - this.#first) / 1000;
      if (this.tokens > 1 && seconds > 0.005) return (this.tokens - 1) / seconds;
    }
    // In one piece, or too fast to tell the first token from the last: all tokens by all of the time.
    return this.#end !== undefined && this.tokens > 0 ? this.tokens / ((this.#end - this.#start) / 1000) : NaN;
  }

  /** The figures as they are read, to be kept; `showKept` shows them again. */
  kept() {
    return Object.fromEntries([...this.#cells].map(([name, cell]) => [name, cell.textContent]));
  }

  showKept(texts) {
    for (const name of this.#cells.keys()) this.#set(name, String(texts?.[name] ?? "–"));
  }

  draw() {
    const counted = this.#usage !== null;
    const about = (text) => (counted || text === "–" || text === "0" ? text : `≈ ${text}`);
    const cached = this.#usage?.prompt_tokens_details?.cached_tokens;
    this.#set("first", this.#first === undefined ? "–" : time(this.#first - this.#start));
    this.#set("rate", about(rate(this.rate)));
    this.#set("prompt", counted ? String(this.#usage.prompt_tokens) : "–");
    this.#set("cached", cached === undefined || cached === null ? "–" : String(cached));
    this.#set("completion", about(String(this.tokens)));
    this.#set("finish", this.#finish ?? "–");
    this.#set("total", time((this.#end ?? performance.now()) - this.#start));
  }

  #set(name, text) {
    setText(this.#cells.get(name), text);
  }
}
