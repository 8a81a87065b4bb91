// A column: a model, its figures, its own conversation, and the last request as it was sent and as programs.

import { generate, LANGUAGES, NEEDS } from "./code.js";
import { copy, h, icon, setText, tabs } from "./dom.js";
import { bytes, count } from "./format.js";
import { Turn } from "./turn.js";

// The raw view keeps this many lines in the page; what is copied is whole.
const RAW_LINES = 3000;

export class Column {
  turns = [];
  model = null;
  #largest = {};
  #view = "chat";
  #language = "curl";
  #rawDue = 0;
  #atEnd = true;

  /** `page` gives what columns share: the key, the request that a question makes, advice about errors. */
  constructor(index, page) {
    this.index = index;
    this.page = page;
    this.element = document.getElementById("column-template").content.firstElementChild.cloneNode(true);
    this.element.dataset.testid = `column-${index}`;
    const find = (selector) => this.element.querySelector(selector);
    this.select = find("select");
    this.select.setAttribute("aria-label", index === 0 ? "Model" : "Model to compare with");
    this.element.setAttribute("aria-label", index === 0 ? "Conversation" : "Second conversation");
    this.state = find(".model-state");
    this.facts = find(".facts");
    this.reports = find(".report-links");
    this.announcer = find(".announcer");
    this.views = new Map([...this.element.querySelectorAll("[data-view]")].map((view) => [view.dataset.view, view]));
    this.log = this.views.get("chat");
    this.select.addEventListener("change", () => {
      this.wanted = undefined;
      this.page.changed();
    });
    this.log.addEventListener("scroll", () => { this.#atEnd = this.#nearEnd(); });
    // A telephone's keyboard takes half of the height: what was in sight at the end stays in sight.
    new ResizeObserver(() => { if (this.#atEnd && this.turns.length) this.log.scrollTop = this.log.scrollHeight; }).observe(this.log);
    this.#buildTabs();
    this.#buildRaw();
    this.#buildCode();
  }

  get running() {
    return this.turns.at(-1)?.running ?? false;
  }

  /** Takes the server's list of models; keeps the chosen one if it is still there. */
  show(models, preferred) {
    const known = (id) => models.some((model) => model.id === id);
    const chosen = known(this.wanted) ? this.wanted : known(this.select.value) ? this.select.value : preferred?.id;
    if (known(this.wanted)) this.wanted = undefined;
    const options = models.map((model) => [model.id, model.state === "ready" ? model.id : `${model.id} (${model.state})`]);
    if (JSON.stringify(options) !== this.shownOptions) {
      this.shownOptions = JSON.stringify(options);
      this.select.replaceChildren(...options.map(([value, text]) => h("option", { value, text })));
    }
    if (chosen !== undefined) this.select.value = chosen;
    this.model = models.find((model) => model.id === this.select.value) ?? null;
    this.#drawModel();
  }

  /** The largest of what is compared, to which bars are drawn; empty when one model is alone. */
  compareWith(largest) {
    this.#largest = largest;
    this.#drawModel();
  }

  /** Messages that a next request would begin with: what was asked and answered, failures left out. */
  history(before = this.turns.length) {
    return this.turns.slice(0, before)
      .filter((turn) => turn.text !== "" && turn.status !== "failed")
      .flatMap((turn) => [{ role: "user", content: turn.question }, { role: "assistant", content: turn.text }]);
  }

  ask(question) {
    const turn = this.#add(question, this.page.request(this, question, this.history()));
    this.log.scrollTop = this.log.scrollHeight;
    return this.#follow(turn, turn.run(this.page.key(), () => this.#soon()));
  }

  #add(question, request) {
    this.turns.at(-1)?.settle();
    const turn = new Turn(question, request, {
      again: () => this.again(),
      advise: (error) => this.page.advise(error, this),
      edit: (changed, text) => this.page.edit(this, changed, text),
      branch: (from) => this.page.branch(this, from),
      resume: () => this.resume(),
    });
    turn.onBeforeDraw = () => this.#stick();
    this.turns.push(turn);
    if (this.turns.length === 1) this.log.replaceChildren();
    this.log.append(turn.element);
    return turn;
  }

  /** Goes on with the last answer where it was stopped. */
  async resume() {
    const turn = this.turns.at(-1);
    if (this.running || !turn?.resumable || !this.page.valid()) return;
    const request = await this.page.resuming(this, turn, this.history(this.turns.length - 1));
    if (this.running || this.turns.at(-1) !== turn) return;
    this.#follow(turn, turn.resume(request, this.page.key(), () => this.#soon()));
  }

  /** The column as it is kept. */
  saved() {
    return { model: this.wanted ?? this.select.value, turns: this.turns.map((turn) => turn.saved()) };
  }

  /** Shows kept turns in a column that is empty. */
  restore({ model, turns }) {
    this.wanted = model;
    for (const saved of turns) {
      const said = [...(saved.system ? [{ role: "system", content: saved.system }] : []), ...this.history(), { role: "user", content: saved.question }];
      const input = saved.endpoint === "/v1/completions" ? { prompt: saved.question } : { messages: said };
      const { model: answering, ...settings } = saved.settings;
      this.#add(saved.question, { endpoint: saved.endpoint, body: { model: answering, ...input, ...settings } }).restore(saved);
    }
    this.log.scrollTop = this.log.scrollHeight;
  }

  /** Takes away the turns from one on. */
  cut(from) {
    for (const turn of this.turns.splice(from)) {
      turn.stop();
      turn.settle();
      turn.element.remove();
    }
  }

  async #follow(turn, running) {
    this.page.changed();
    await running;
    if (!this.turns.includes(turn)) return; // reset meanwhile
    this.#announce(turn);
    this.page.changed();
  }

  /** Asks the last question again, in place of its answer. */
  again() {
    if (this.running || !this.turns.length || !this.page.valid()) return;
    const turn = this.turns.at(-1);
    this.cut(this.turns.length - 1);
    const hadFocus = !document.activeElement || document.activeElement === document.body;
    this.ask(turn.question);
    if (hadFocus) this.page.focusPrompt();
  }

  stop() {
    this.turns.at(-1)?.stop();
  }

  reset(welcome) {
    this.cut(0);
    this.log.replaceChildren(welcome);
    this.announcer.textContent = "";
    this.drawRequest();
  }

  /** Raw view and code, drawn only where they are seen. */
  drawRequest() {
    if (this.#view === "raw") this.#drawRaw();
    if (this.#view === "code") this.#drawCode();
  }

  #soon() {
    if (this.#rawDue) return;
    this.#rawDue = setTimeout(() => { this.#rawDue = 0; if (this.#view === "raw") this.#drawRaw(); }, 120);
  }

  /** Keeps the end in sight, if it was in sight before the text grew. */
  #stick() {
    const near = this.#nearEnd();
    return () => { if (near) this.log.scrollTop = this.log.scrollHeight; };
  }

  #nearEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
  }

  #announce(turn) {
    const how = { done: "answered", stopped: "was stopped", failed: "failed" }[turn.status];
    this.announcer.textContent = `${turn.request.body.model} ${how}: ${turn.error?.message ?? turn.text}`.slice(0, 2000);
  }

  #buildTabs() {
    const buttons = [...this.element.querySelectorAll("[role=tab]")];
    this.element.querySelector("[role=tablist]").setAttribute("aria-label", "View");
    for (const button of buttons) {
      const view = this.views.get(button.dataset.tab);
      button.id = `tab-${button.dataset.tab}-${this.index}`;
      view.id = `view-${button.dataset.tab}-${this.index}`;
      button.setAttribute("aria-controls", view.id);
      view.setAttribute("aria-labelledby", button.id);
    }
    tabs(buttons, (chosen) => {
      this.#view = chosen.dataset.tab;
      for (const [name, view] of this.views) view.hidden = name !== this.#view;
      if (this.rawRequest && this.code) this.drawRequest();
    });
  }

  #buildRaw() {
    this.rawRequest = h("pre", { "data-testid": "raw-request", tabindex: "0", "aria-label": "Request" });
    this.rawResponse = h("pre", { "data-testid": "raw-response", tabindex: "0", "aria-label": "Response" });
    this.rawStatus = h("span", { class: "hint" });
    const copyButton = (label, text) => h("button", { type: "button", class: "button quiet small", on: { click: () => copy(text(), label) } }, icon("copy"), "Copy");
    this.rawLine = h("code", { class: "hint" });
    this.views.get("raw").append(
      h("div", { class: "sheet" },
        h("div", { class: "sheet-head" }, h("h3", { text: "Request" }), this.rawLine, copyButton("Request", () => this.rawRequest.textContent)), this.rawRequest),
      h("div", { class: "sheet" },
        h("div", { class: "sheet-head" }, h("h3", { text: "Response" }), this.rawStatus, copyButton("Response", () => (this.turns.at(-1)?.raw ?? []).join("\n"))), this.rawResponse));
  }

  #shownRequest() {
    const turn = this.turns.at(-1);
    return turn ? { request: turn.request, sent: true } : { request: this.page.draft(this), sent: false };
  }

  #drawRaw() {
    const { request, sent } = this.#shownRequest();
    const turn = this.turns.at(-1);
    setText(this.rawLine, `POST ${request.endpoint}`);
    setText(this.rawRequest, JSON.stringify(request.body, null, 2));
    const near = this.rawResponse.scrollHeight - this.rawResponse.scrollTop - this.rawResponse.clientHeight < 40;
    const lines = turn?.raw ?? [];
    const left = lines.length - RAW_LINES;
    const blank = sent ? "Nothing has come yet." : "Nothing was sent yet. The request above is what the prompt field would send now.";
    const shown = left > 0 ? `… ${left} lines more before these; Copy has them\n${lines.slice(left).join("\n")}` : lines.join("\n");
    this.rawResponse.classList.toggle("blank", !lines.length);
    setText(this.rawResponse, lines.length ? shown : blank);
    this.rawStatus.textContent = turn?.http ? `HTTP ${turn.http.status}${turn.http.requestId ? ` · ${turn.http.requestId}` : ""}` : "";
    if (near) this.rawResponse.scrollTop = this.rawResponse.scrollHeight;
  }

  #buildCode() {
    this.code = h("pre", { "data-testid": "code", tabindex: "0", "aria-label": "Program" });
    this.codeNote = h("p", { class: "hint" });
    this.codeNeeds = h("span", { class: "hint" });
    const buttons = LANGUAGES.map(({ id, name }) => h("button", { type: "button", role: "tab", "data-testid": `code-${id}`, "data-language": id, text: name }));
    this.views.get("code").append(
      h("div", { class: "sheet grow" },
        h("div", { class: "sheet-head" },
          h("div", { class: "tabs", role: "tablist", "aria-label": "Language" }, ...buttons),
          h("button", { type: "button", class: "button small copy-code", "data-testid": "copy-code", on: { click: () => copy(this.code.textContent, "Program") } }, icon("copy"), "Copy")),
        this.code,
        h("div", { class: "sheet-foot" }, this.codeNote, this.codeNeeds)));
    tabs(buttons, (chosen) => {
      this.#language = chosen.dataset.language;
      if (this.#view === "code") this.#drawCode();
    });
  }

  #drawCode() {
    const { request, sent } = this.#shownRequest();
    const keyRequired = this.page.keyRequired();
    setText(this.code, generate(this.#language, request, { origin: location.origin, keyRequired }));
    this.codeNote.textContent = `${sent ? "Repeats the last request of this column, field by field." : "What the prompt field would send now."}${keyRequired ? " Your key is not in it: set PENJING_API_KEY." : ""}`;
    this.codeNeeds.textContent = `Needs ${NEEDS[this.#language]}.`;
  }

  #drawModel() {
    const model = this.model;
    this.state.dataset.state = model?.state ?? "none";
    this.state.textContent = !model || model.state === "ready" ? "" : model.message ? `${model.state}: ${model.message}` : model.state;
    // Polling must not take a link away from under somebody's finger.
    const key = JSON.stringify([model, this.#largest]);
    if (key === this.factsKey) return;
    this.factsKey = key;
    this.reports.hidden = !model?.report;
    if (!model) {
      this.facts.replaceChildren();
      return;
    }
    const items = [
      ["Parameters", count(model.parameters), "parameters", `${count(model.non_embedding_parameters)} without the embedding`],
      ["Weights", bytes(model.weight_bytes), "weight_bytes", model.quantization],
      ["Keys and values", bytes(model.cache_bytes), "cache_bytes", "Memory set aside for keys and values"],
      ["Context", count(model.context), null, "Tokens of prompt and answer together"],
    ];
    const list = h("dl", {}, ...items.map(([label, value, field, title]) => h("div", { title },
      h("dt", { text: label }), h("dd", { text: value }, field === "weight_bytes" && model.quantization ? h("small", { text: ` ${model.quantization}` }) : null), this.#bar(field))));
    const notes = model.chat === false ? h("span", { class: "tag", title: "It has no chat template, so prompts are continued by /v1/completions", text: "continues text" }) : null;
    this.facts.replaceChildren(...[list, notes].filter(Boolean));
    this.reports.replaceChildren(...(model.report ? [
      h("button", { type: "button", class: "button quiet small", "data-testid": "report-open", "aria-label": `Compression report of ${model.id}`, on: { click: () => this.page.openReport(model) } }, icon("report"), h("span", { class: "report-word", text: "Report" })),
      h("a", { class: "button quiet icon small", "data-testid": "report-tab", href: model.report, target: "_blank", rel: "noopener", "aria-label": `Report of ${model.id} in a new tab`, title: "The report in a new tab" }, icon("out")),
    ] : []));
  }

  #bar(field) {
    const largest = field ? this.#largest[field] : 0;
    if (!largest) return null;
    const fill = h("i");
    fill.style.setProperty("--share", `${(100 * this.model[field]) / largest}%`);
    return h("span", { class: "bar", "aria-hidden": "true" }, fill);
  }
}

