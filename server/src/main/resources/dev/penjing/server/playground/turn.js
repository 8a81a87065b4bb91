// One question and its answer: runs the request, draws what comes.

import { ApiError, send } from "./api.js";
import { copy, h, icon } from "./dom.js";
import { Figures } from "./figures.js";
import { indented } from "./format.js";
import { blocks, code } from "./render.js";

// A stream is drawn at most this often, in milliseconds, so that a fast model does not drown the page.
const DRAW_EVERY = 50;
// Longer texts are drawn plain until they are finished.
const PLAIN_ABOVE = 20_000;

/** A finish reason is a label of the server's; this one is the page's. */
const STOPPED = "stopped by you";

export class Turn {
  status = "streaming";
  raw = [];
  error = null;
  figures = new Figures();
  #choices = [];
  #abort = new AbortController();
  #draw = 0;
  #tick = 0;
  #countdown = 0;

  /** `request` = {endpoint, body}; `actions` = {again, advise(error), edit(turn, text), branch(turn), resume}. */
  constructor(question, request, actions) {
    this.question = question;
    this.request = request;
    this.actions = actions;
    this.questionText = h("div", { dir: "auto", class: "question-text", text: shortened(question) });
    this.questionBox = h("div", { class: "question", "data-testid": "question" }, h("span", { class: "visually-hidden", text: "You: " }),
      button("edit", "edit", "Change this question; what followed stays in the list of conversations", () => this.edit()), this.questionText);
    this.answers = h("div", { class: "answers" });
    this.problem = h("div", { class: "problem-slot" });
    this.buttons = h("div", { class: "turn-buttons" });
    this.foot = h("div", { class: "turn-foot" }, this.figures.element, this.buttons);
    this.element = h("article", { class: "turn", "data-testid": "turn", "data-status": "streaming", "aria-busy": "true" },
      this.questionBox,
      h("div", { class: "reply" }, h("p", { class: "author", dir: "auto", text: request.body.model }), this.answers, this.problem, this.foot));
    this.#choice(0);
  }

  /** The answer's text; of several, the first one's. */
  get text() {
    return this.#choices[0].text;
  }

  get running() {
    return this.status === "streaming";
  }

  stop() {
    this.#abort.abort();
  }

  /** The turn as it is kept: the request without the messages that other turns have. */
  saved() {
    const { messages = [], prompt, ...settings } = this.request.body;
    const system = messages.find((message) => message.role === "system")?.content;
    const error = this.error && { ...this.error, message: this.error.message, retryAfter: null };
    const figures = { ...this.figures.kept(), ...(this.running ? { finish: STOPPED } : {}) };
    const choices = this.#choices.map(({ text, finish }) => ({ text, finish }));
    return { question: this.question, endpoint: this.request.endpoint, system, settings, error, status: this.running ? "stopped" : this.status, figures, choices };
  }

  /** Shows what was kept in place of an answer of its own. */
  restore(saved) {
    this.status = ["done", "stopped", "failed"].includes(saved.status) ? saved.status : "stopped";
    this.error = saved.error ? new ApiError(saved.error) : null;
    saved.choices.forEach(({ text, finish }, index) => Object.assign(this.#choice(index), { text: String(text), finish }));
    this.#finish();
    this.figures.showKept(saved.figures);
  }

  /** Whether an answer is there that can go on: it was stopped, cut off, or reached its longest. */
  get resumable() {
    const [choice, second] = this.#choices;
    const ended = this.status === "stopped" || (this.status === "done" && choice.finish === "length") || this.error?.code === "cut_off";
    return ended && !second && choice.text !== "" && this.request.body.response_format === undefined;
  }

  /** Goes on with the answer: what comes of `request` is put behind what is there. */
  resume(request, apiKey, onProgress) {
    this.request = request;
    this.#abort = new AbortController();
    this.raw = [];
    this.error = null;
    this.status = this.element.dataset.status = "streaming";
    this.element.setAttribute("aria-busy", "true");
    this.#choices[0].finish = null;
    this.problem.replaceChildren();
    this.buttons.replaceChildren();
    const figures = new Figures();
    this.figures.element.replaceWith(figures.element);
    this.figures = figures;
    this.foot.hidden = false;
    return this.run(apiKey, onProgress);
  }

  /** Makes a field of the question. */
  edit() {
    if (this.questionBox.querySelector("textarea")) return;
    const area = h("textarea", { rows: String(Math.min(12, this.question.split("\n").length + 1)), dir: "auto", "data-testid": "edit-text", "aria-label": "The question" });
    area.value = this.question;
    const close = () => {
      form.replaceWith(this.questionText);
      this.questionBox.classList.remove("editing");
    };
    const send = () => {
      const text = area.value.trim();
      if (text && this.actions.edit(this, text)) close();
    };
    const press = (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target === area) {
        event.preventDefault();
        send();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        close();
      }
    };
    const form = h("div", { class: "question-edit", on: { keydown: press } }, area, h("div", { class: "row" },
      h("button", { type: "button", class: "button small", "data-testid": "edit-cancel", text: "Cancel", on: { click: close } }),
      h("button", { type: "button", class: "button small primary", "data-testid": "edit-send", text: "Send", on: { click: send } })));
    this.questionText.replaceWith(form);
    this.questionBox.classList.add("editing");
    area.focus();
  }

  copy() {
    return copy(this.#choices.map((choice) => choice.text).join("\n\n"), "Answer");
  }

  async run(apiKey, onProgress) {
    this.figures.start();
    this.#tick = setInterval(() => this.figures.draw(), 100);
    try {
      await send(this.request.endpoint, this.request.body, {
        apiKey,
        signal: this.#abort.signal,
        onHeaders: (response) => { this.http = { status: response.status, requestId: response.headers.get("x-request-id") }; onProgress(); },
        onRaw: (line) => { this.raw.push(line); onProgress(); },
        onChunk: (chunk) => this.#take(chunk),
      });
      this.status = "done";
    } catch (failure) {
      this.status = failure.name === "AbortError" ? "stopped" : "failed";
      if (this.status === "failed") {
        this.error = failure instanceof ApiError ? failure : new ApiError({ message: `The page could not read the answer: ${failure.message}`, code: "unreadable" });
      }
    } finally {
      clearInterval(this.#tick);
      clearTimeout(this.#draw);
      this.#finish();
      onProgress();
    }
  }

  /** Takes the buttons away that only the last turn of a column has. */
  settle() {
    this.element.querySelectorAll("[data-last-only]").forEach((button) => button.remove());
    clearInterval(this.#countdown);
  }

  #take(chunk) {
    if (chunk.usage) this.figures.usage(chunk.usage);
    for (const part of chunk.choices ?? []) {
      const choice = this.#choice(part.index ?? 0);
      const text = part.delta?.content ?? part.message?.content ?? part.text ?? part.delta?.refusal ?? part.message?.refusal ?? "";
      if (text) {
        choice.text += text;
        this.figures.piece();
      }
      if (part.message || (part.text !== undefined && !this.request.body.stream)) this.figures.whole();
      if (part.finish_reason) choice.finish = part.finish_reason;
    }
    if (!this.#draw) this.#draw = setTimeout(() => { this.#draw = 0; this.#drawText(false); }, DRAW_EVERY);
  }

  #choice(index) {
    while (this.#choices.length <= index) {
      const body = h("div", { class: "answer", "data-testid": "answer" });
      const label = this.#choices.length ? h("p", { class: "choice-label", text: `Answer ${this.#choices.length + 1}` }) : null;
      this.answers.append(h("div", { class: "choice" }, label, body));
      this.#choices.push({ text: "", finish: null, body, drawn: null });
      if (this.#choices.length === 1) body.append(waiting());
    }
    return this.#choices[index];
  }

  #drawText(final) {
    const stick = this.onBeforeDraw?.();
    const json = this.request.body.response_format !== undefined && this.request.body.response_format.type !== "text";
    for (const choice of this.#choices) {
      if (choice.drawn === choice.text && !final) continue;
      choice.drawn = choice.text;
      if (choice.text === "") choice.body.replaceChildren(final ? h("p", { class: "empty", text: this.status === "failed" ? "" : "(no text)" }) : waiting());
      else if (json) choice.body.replaceChildren(code(final ? indented(choice.text) : choice.text, "json"));
      else if (!final && choice.text.length > PLAIN_ABOVE) choice.body.replaceChildren(h("p", { dir: "auto", class: "plain", text: choice.text }));
      else choice.body.replaceChildren(...blocks(choice.text));
    }
    stick?.();
  }

  #finish() {
    const stick = this.onBeforeDraw?.();
    const reasons = [...new Set(this.#choices.map((choice) => choice.finish).filter(Boolean))].join(", ");
    this.figures.end(this.status === "stopped" ? STOPPED : this.status === "failed" ? "error" : reasons || "unknown");
    this.element.dataset.status = this.status;
    this.element.removeAttribute("aria-busy");
    this.#drawText(true);
    if (this.error) this.#showError();
    const any = this.#choices.some((choice) => choice.text);
    this.foot.hidden = this.status === "failed" && !any;
    this.buttons.replaceChildren(...[
      this.resumable ? last(button("resume", "resume", "Continue this answer", this.actions.resume)) : null,
      any ? button("branch", "branch", "Branch: go on from here in a conversation of its own", () => this.actions.branch(this)) : null,
      any ? button("copy-answer", "copy", "Copy the answer", () => this.copy()) : null,
      this.status === "failed" ? null : last(button("regenerate", "again", "Answer again", this.actions.again)),
    ].filter(Boolean));
    stick?.();
  }

  #showError() {
    const { status, code, type, message, param, requestId } = this.error;
    const advice = this.actions.advise(this.error);
    const retry = h("button", { type: "button", class: "button small", "data-testid": "retry", "data-last-only": true, text: "Try again", on: { click: () => this.actions.again() } });
    const wait = this.error.retryAfter;
    if (wait) this.#count(retry, wait);
    const names = [code ?? type, param ? `field ${param}` : null].filter(Boolean).join(" · ");
    this.problem.replaceChildren(h("div", { class: "error", "data-testid": "error" },
      h("p", { class: "error-head" },
        h("strong", { "data-testid": "error-status", text: status === 0 ? "No answer" : status === 200 ? "Error in the stream" : `HTTP ${status}` }),
        h("code", { "data-testid": "error-code", text: names })),
      h("p", { class: "error-message", "data-testid": "error-message", dir: "auto", text: message }),
      h("p", { class: "hint", text: advice.text }),
      h("div", { class: "row" }, retry, advice.button ?? null, requestId ? h("span", { class: "hint request-id", text: `request ${requestId}` }) : null)));
  }

  #count(retry, seconds) {
    const until = performance.now() + seconds * 1000;
    const draw = () => {
      const left = Math.ceil((until - performance.now()) / 1000);
      retry.disabled = left > 0;
      retry.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
      if (left <= 0) clearInterval(this.#countdown);
    };
    this.#countdown = setInterval(draw, 250);
    draw();
  }
}

function shortened(text) {
  return text.length > 4000 ? `${text.slice(0, 4000)}…` : text;
}

function waiting() {
  return h("span", { class: "waiting" }, h("span", { class: "visually-hidden", text: "Waiting for the first token" }), h("i"), h("i"), h("i"));
}

function button(testid, name, label, click) {
  return h("button", { type: "button", class: "button quiet icon small", "data-testid": testid, "aria-label": label, title: label, on: { click } }, icon(name));
}

function last(element) {
  element.dataset.lastOnly = "";
  return element;
}
