// The page: puts the columns, the panel and the health badge together.

import { continues, health, info, key } from "./api.js";
import { Column } from "./chat.js";
import { Conversations } from "./conversations.js";
import { byId, h, toast } from "./dom.js";
import { bytes, count, times } from "./format.js";
import { Parameters } from "./parameters.js";
import { setUpPanel, setUpTheme } from "./shell.js";
import { setUpShortcuts } from "./shortcuts.js";

// How often the server is asked how it is, in milliseconds.
const CALM = 15_000;
const RESTLESS = 2_500;
// Answers of fewer tokens are over before their speed can be told.
const TELLING = 32;
// What a server that cannot continue a message is asked instead.
const GO_ON = "Go on exactly where you stopped.";

const state = { info: { models: [], parameters: [], examples: [], key_required: false }, comparing: false, health: "unknown" };
const panel = setUpPanel();
const prompt = byId("prompt");
const parameters = new Parameters(byId("parameters"), byId("format"), () => changed());
const columns = [];
const conversations = new Conversations({
  saved: () => ({ comparing: state.comparing, columns: shownColumns().map((column) => column.saved()) }),
  show: showConversation,
  clear,
});

const page = {
  key: () => byId("api-key").value,
  keyRequired: () => state.info.key_required,
  focusPrompt,
  openReport,
  changed,
  valid,
  advise,
  request: requestOf,
  resuming,
  edit,
  branch,
  draft: (column) => requestOf(column, prompt.value.trim() || state.info.examples[0] || "Hello!", column.history(), true),
};

/** Back to the prompt; not where a finger points, because that would bring the keyboard up. */
function focusPrompt() {
  if (matchMedia("(pointer: fine)").matches) prompt.focus({ preventScroll: true });
}

const shownColumns = () => columns.slice(0, state.comparing ? 2 : 1);
const running = () => shownColumns().some((column) => column.running);

// What completions (of a model without a chat template) do not know.
const CHAT_ONLY = ["max_completion_tokens", "response_format", "logprobs", "top_logprobs", "parallel_tool_calls"];

/** The request that a question makes. Throws, unless it is a draft, when a field of the panel is wrong. */
function requestOf(column, question, history, draft = false) {
  const values = parameters.values();
  let format;
  try {
    format = parameters.format();
  } catch (failure) {
    if (!draft) throw failure;
  }
  const stream = byId("stream").checked;
  const streaming = stream ? { stream: true, stream_options: { include_usage: true } } : {};
  const model = column.select.value;
  if (column.model?.chat === false) {
    const known = Object.entries(values).filter(([name]) => !CHAT_ONLY.includes(name));
    return { endpoint: "/v1/completions", body: { model, prompt: question, ...Object.fromEntries(known), ...streaming } };
  }
  const system = byId("system").value.trim();
  const messages = [...(system ? [{ role: "system", content: system }] : []), ...history, { role: "user", content: question }];
  return { endpoint: "/v1/chat/completions", body: { model, messages, ...values, ...(format ? { response_format: format } : {}), ...streaming } };
}

/** The request that goes on with an answer. A server that cannot continue a message is asked to, in a message. */
async function resuming(column, turn, history) {
  const request = requestOf(column, turn.question, history);
  if (request.body.prompt !== undefined) request.body.prompt += turn.text;
  else {
    request.body.messages.push({ role: "assistant", content: turn.text });
    if (await continues()) Object.assign(request.body, { continue_final_message: true, add_generation_prompt: false });
    else request.body.messages.push({ role: "user", content: GO_ON });
  }
  return request;
}

/** The shown columns in which a turn's question stands at the same place. */
const alike = (column, turn) => shownColumns().filter((shown) => shown === column || shown.turns[column.turns.indexOf(turn)]?.question === turn.question);

/** Asks another question in a turn's place; what was there stays in the list of conversations. */
function edit(column, turn, text) {
  if (running() || !state.info.models.length || !valid()) return false;
  const at = column.turns.indexOf(turn);
  const others = alike(column, turn);
  if (others.some((other) => other.turns.slice(at).some((later) => later.text))) conversations.fork();
  for (const other of others) other.cut(at);
  for (const other of others) other.ask(text);
  focusPrompt();
  return true;
}

/** Goes on after a turn in a conversation of its own. */
function branch(column, turn) {
  if (running()) return;
  const at = column.turns.indexOf(turn);
  const others = alike(column, turn);
  conversations.fork();
  for (const other of others) other.cut(at + 1);
  changed();
  toast("A branch: the conversation so far stays in the list");
  focusPrompt();
}

/** False, and the person is told, when the panel holds something that cannot be sent. */
function valid() {
  try {
    parameters.format();
    return true;
  } catch (failure) {
    panel.open();
    parameters.focus("response_format");
    toast(failure.message);
    return false;
  }
}

function submit() {
  const question = prompt.value.trim();
  if (!question || running() || !state.info.models.length || !valid()) return;
  prompt.value = "";
  grow();
  for (const column of shownColumns()) column.ask(question);
  focusPrompt();
}

function clear() {
  for (const column of columns) column.reset(welcome(column));
  changed();
  focusPrompt();
}

function reset() {
  const undo = conversations.forget();
  clear();
  if (undo) toast("Conversation deleted", undo);
}

function showConversation({ comparing, columns: kept }) {
  if (Boolean(comparing) !== state.comparing) compare(Boolean(comparing));
  kept.slice(0, columns.length).forEach((column, index) => columns[index].restore(column));
  changed();
}

/** What a person can do about an error: a sentence, and perhaps a button that leads there. */
function advise(error, column) {
  const lead = (text, go) => h("button", { type: "button", class: "button quiet small", on: { click: go } }, text);
  if (error.status === 401) {
    byId("key-group").hidden = false;
    return { text: "This server asks for its API key.", button: lead("Enter the key", () => { panel.open(); byId("api-key").focus(); }) };
  }
  if (error.code === "model_not_found") return { text: "Choose another model.", button: lead("Choose", () => column.select.focus()) };
  if (error.status === 429) return { text: "Too many requests are waiting. It will have room again soon." };
  if (error.code === "draining") return { text: "The server finishes what it has begun and then stops." };
  if (error.status === 503) return { text: "The model is still on its way into memory." };
  if (error.status === 413 || /context/.test(error.code ?? "")) return { text: "Make the prompt shorter, ask for fewer tokens, or begin anew.", button: lead("Reset", reset) };
  if (error.param && error.status === 400) return { text: "Change that field and try again.", button: lead("Show it", () => { panel.open(); parameters.focus(error.param); }) };
  if (error.status >= 400 && error.status < 500) return { text: "Change the request and try again." };
  if (error.code === "cut_off") return { text: "What came before stands above. Try again when the server is ready." };
  if (error.status === 0) return { text: "Is it running? The badge at the top says when it answers again." };
  return { text: "The server's log tells more, by the request's id." };
}

/** Of two models compared, the one with fewer parameters has the smaller tree. */
function treeSize(column) {
  const largest = Math.max(...shownColumns().map((shown) => shown.model?.parameters ?? 0));
  const share = state.comparing && largest && column.model ? column.model.parameters / largest : 1;
  return Math.round(104 * Math.max(0.4, Math.sqrt(share)));
}

/** A model's name where there is little room: without its folders, and not too long. */
function short(id) {
  const name = id.split("/").at(-1);
  return name.length > 40 ? `${name.slice(0, 39)}…` : name;
}

function welcome(column) {
  const model = column.model;
  const facts = model ? `${count(model.parameters)} parameters in ${bytes(model.weight_bytes)}, running on this server's processor.` : "";
  const examples = column.index === 0 ? state.info.examples.slice(0, 6) : [];
  return h("div", { class: "welcome" },
    h("img", { src: "/playground/logo.svg", alt: "", width: treeSize(column), height: treeSize(column) }),
    h("h2", { dir: "auto" }, column.index === 0 ? "Ask the small tree something" : `The same question goes to ${short(model?.id ?? "this model")}`),
    h("p", { class: "hint", text: facts }),
    examples.length ? h("ul", { class: "examples", "aria-label": "Example prompts" }, ...examples.map((text) => h("li", {},
      h("button", { type: "button", "data-testid": "example", dir: "auto", text, on: { click: () => { prompt.value = text; submit(); } } })))) : null);
}

/** Puts everything that depends on something else in step. */
function changed() {
  const { models } = state.info;
  const shown = shownColumns();
  columns.forEach((column, index) => column.show(models, index === 0 ? models[0] : models.find((model) => model.id !== columns[0].select.value) ?? models[0]));
  const largest = {};
  if (state.comparing) for (const field of ["parameters", "weight_bytes", "cache_bytes"]) largest[field] = Math.max(...shown.map((column) => column.model?.[field] ?? 0));
  parameters.show(definitions(shown));
  for (const column of shown) {
    column.compareWith(largest);
    if (!column.turns.length) refreshWelcome(column);
    column.drawRequest();
  }
  const busy = running();
  const stopHadFocus = document.activeElement === byId("stop");
  byId("send").hidden = busy;
  byId("stop").hidden = !busy;
  if (!busy && stopHadFocus) focusPrompt();
  byId("send").disabled = !models.length;
  byId("regenerate-all").hidden = busy || !state.comparing || !shown.every((column) => column.turns.length);
  const set = parameters.count() + (byId("system").value.trim() ? 1 : 0);
  byId("panel-count").hidden = set === 0;
  byId("panel-count").dataset.count = String(set);
  byId("panel-toggle").setAttribute("aria-label", set ? `Settings, ${set} set` : "Settings");
  byId("parameters-reset").hidden = parameters.count() === 0;
  summarise();
  conversations.save();
}

/** The server's parameters; the longest answer is what the chosen models have room for, not the smallest of all. */
function definitions(shown) {
  const contexts = shown.map((column) => column.model?.context).filter(Boolean);
  return state.info.parameters.map((definition) => {
    if (definition.name !== "max_tokens" || !contexts.length) return definition;
    const maximum = Math.min(...contexts) - 1;
    // A default as large as the smallest context was cut to it: the server's own is not known here.
    const cut = definition.default === definition.maximum && maximum > definition.maximum;
    return { ...definition, maximum, default: cut ? undefined : Math.min(definition.default, maximum), placeholder: cut ? "default" : undefined };
  });
}

function refreshWelcome(column) {
  const shape = JSON.stringify([column.model?.id, treeSize(column), state.info.examples]);
  if (column.welcomeShape === shape && column.log.firstElementChild) return;
  column.welcomeShape = shape;
  column.log.replaceChildren(welcome(column));
}

/** One sentence on how the smaller of two models stands to the larger. */
function summarise() {
  const box = byId("compare-summary");
  const [left, right] = columns;
  const both = state.comparing && left?.model && right?.model && left.model.id !== right.model.id;
  box.hidden = !both || !left.model.parameters || !right.model.parameters;
  if (box.hidden) return;
  const [small, large] = left.model.parameters <= right.model.parameters ? [left, right] : [right, left];
  const share = (field) => `${Math.round((100 * small.model[field]) / large.model[field])} %`;
  const same = ["parameters", "weight_bytes"].every((field) => small.model[field] === large.model[field]);
  const size = same ? ` is of the same size as ${short(large.model.id)}` : ` has ${share("parameters")} of the parameters of ${short(large.model.id)} and ${share("weight_bytes")} of its bytes`;
  const parts = [h("strong", { text: short(small.model.id) }), size];
  const [a, b] = [small, large].map((column) => column.turns.at(-1));
  const comparable = a && b && !a.running && !b.running && a.question === b.question && a.request.body.model === small.model.id && b.request.body.model === large.model.id;
  const long = comparable && Math.min(a.figures.tokens, b.figures.tokens) >= TELLING;
  const faster = long ? a.figures.rate / b.figures.rate : NaN;
  if (Number.isFinite(faster)) parts.push(`; this time it was ${times(faster)} times as fast`);
  box.replaceChildren(...parts, ".");
}

function compare(on) {
  state.comparing = on;
  if (on && columns.length < 2) addColumn();
  if (!on) columns[1]?.stop();
  columns.slice(1).forEach((column) => { column.element.hidden = !on; });
  byId("columns").dataset.count = on ? "2" : "1";
  byId("compare").setAttribute("aria-pressed", String(on));
  changed();
}

function addColumn() {
  const column = new Column(columns.length, page);
  columns.push(column);
  byId("columns").append(column.element);
}

function openReport(model) {
  byId("report-title").textContent = `Compression report: ${model.id}`;
  byId("report-frame").src = model.report;
  byId("report-out").href = model.report;
  byId("report").showModal();
}

function grow() {
  prompt.style.setProperty("height", "auto");
  prompt.style.setProperty("height", `${Math.min(prompt.scrollHeight, 220)}px`);
}

const BADGES = { ready: "Ready", loading: "Loading", draining: "Draining", failed: "Failed", unreachable: "Unreachable" };

async function poll() {
  const { state: answer, message } = await health();
  const failed = answer !== "ready" && state.info.models.length > 0 && state.info.models.every((model) => model.state === "failed");
  const now = failed ? "failed" : answer;
  const badge = byId("health");
  if (badge.dataset.state !== now) {
    badge.dataset.state = now;
    byId("health-text").textContent = BADGES[now];
  }
  badge.title = message;
  const moving = now !== state.health || state.info.models.some((model) => model.state === "loading") || !state.info.models.length;
  state.health = now;
  if (now !== "unreachable" && moving) await loadInfo();
  schedule();
}

let timer = 0;

function schedule() {
  clearTimeout(timer);
  if (document.hidden) return;
  const settled = state.health === "ready" && state.info.models.every((model) => model.state !== "loading");
  timer = setTimeout(poll, settled ? CALM : RESTLESS);
}

async function loadInfo() {
  const notice = byId("notice");
  try {
    state.info = { models: [], parameters: [], examples: [], ...(await info(page.key())) };
    notice.hidden = true;
    byId("version").textContent = state.info.version ?? "";
    byId("key-group").hidden = !state.info.key_required;
    const few = state.info.models.length < 2;
    byId("compare").disabled = few && !state.comparing;
    byId("compare").title = few ? "Serve a second model to compare: penjing serve MODEL --also MODEL" : "Compare two models on the same prompt";
  } catch (failure) {
    notice.hidden = false;
    notice.textContent = `The server does not say what it serves: ${failure.status ? `HTTP ${failure.status}, ` : ""}${failure.message}`;
    if (failure.status === 401) byId("key-group").hidden = false;
  }
  changed();
}

byId("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    submit();
  } else if (event.key === "ArrowUp" && prompt.value === "" && !running() && columns[0].turns.length) {
    event.preventDefault();
    columns[0].turns.at(-1).edit();
  }
});
prompt.addEventListener("input", () => { grow(); columns.forEach((column) => column.drawRequest()); });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && running() && !document.querySelector("dialog[open]") && !panel.covers()) stop();
});
function stop() {
  columns.forEach((column) => column.stop());
}
byId("stop").addEventListener("click", stop);
byId("reset").addEventListener("click", reset);
const again = () => { if (valid()) shownColumns().forEach((column) => column.again()); };
byId("regenerate-all").addEventListener("click", again);
byId("compare").addEventListener("click", () => compare(!state.comparing));
byId("system").addEventListener("input", changed);
byId("stream").addEventListener("change", changed);
byId("parameters-reset").addEventListener("click", () => { parameters.reset(); byId("panel").focus(); });
byId("api-key").value = key.get();
byId("api-key").addEventListener("input", () => key.set(byId("api-key").value));
byId("api-key").addEventListener("change", () => { if (!state.info.models.length) loadInfo(); });
byId("report-close").addEventListener("click", () => byId("report").close());
byId("report").addEventListener("close", () => byId("report-frame").removeAttribute("src"));
document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });

addEventListener("pagehide", () => conversations.save());

setUpTheme();
setUpShortcuts({
  focusPrompt: () => prompt.focus(),
  conversations: () => conversations.open(),
  begin: () => conversations.begin(),
  again,
  resume: () => shownColumns().forEach((column) => column.resume()),
  copy: () => columns[0].turns.at(-1)?.copy(),
  settings: () => byId("panel-toggle").click(),
});
addColumn();
const kept = conversations.kept();
if (kept) showConversation(kept);
changed();
poll();
focusPrompt();
