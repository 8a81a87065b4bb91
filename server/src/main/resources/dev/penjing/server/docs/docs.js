// The explorer: reads /openapi.json and shows it. Text is always text, never markup.

const METHODS = ["get", "post", "put", "patch", "delete"];
const MOST_SHOWN = 200_000;
const PLACEHOLDER = "student";

let api = {};
let served = "";
/** Called when the served model, or the key, becomes known. */
const listeners = [];

const byId = (id) => document.getElementById(id);

/** Makes an element; `on` holds listeners, everything else is an attribute. */
function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== ""));
  return element;
}

/** A description: what stands between backticks is code. */
function prose(text = "") {
  return text.split("`").map((part, i) => (i % 2 ? h("code", {}, part) : part));
}

function resolve(node) {
  let found = node;
  for (let i = 0; found && found.$ref && i < 20; i++) {
    const target = found.$ref.slice(2).split("/").reduce((at, key) => at?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], api);
    const { $ref, ...beside } = found;
    found = { ...target, ...beside };
  }
  return found ?? {};
}

const isNull = (schema) => schema.type === "null";
const typesOf = (schema) => (schema.type === undefined ? [] : [schema.type].flat());

/** A value's kind in words. */
function kind(node) {
  const schema = resolve(node);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(kind))].join(" or ");
  const types = typesOf(schema);
  if (types.includes("array")) {
    const items = kind(schema.items ?? {});
    const plural = /^[a-z]+$/.test(items) ? `${items}s` : items.replace(/^list of/, "lists of");
    const list = items === "anything" ? "list" : `list of ${plural.includes(" or ") ? `(${plural})` : plural}`;
    return [list, ...types.filter((type) => type !== "array")].join(" or ");
  }
  if (types.includes("object") && schema.additionalProperties?.type && !schema.properties) {
    return ["map", ...types.filter((type) => type !== "object")].join(" or ");
  }
  return types.join(" or ") || "anything";
}

/** What a value may be: its range, length and default. */
function limits(node) {
  const schema = resolve(node);
  const said = [];
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const whole = typesOf(schema).includes("integer");
  const range = (from, to, unit) => {
    if (from !== undefined && to !== undefined) said.push(from === to ? `${from}${unit}` : `${from} to ${to}${unit}`);
    else if (from !== undefined) said.push(unit && from === 1 ? "not empty" : unit || !whole ? `at least ${from}${unit}` : `${from} or more`);
    else if (to !== undefined) said.push(`at most ${to}${unit}`);
  };
  if (schema.exclusiveMinimum !== undefined) said.push(`above ${low}${schema.maximum === undefined ? "" : `, at most ${schema.maximum}`}`);
  else range(schema.minimum, schema.maximum, "");
  range(schema.minItems, schema.maxItems, " items");
  range(schema.minLength, schema.maxLength, " characters");
  if (schema.pattern) said.push(`matches ${schema.pattern}`);
  for (const part of schema.anyOf ?? []) {
    const inner = limits(part);
    if (!inner || !typesOf(resolve(part)).includes("array")) continue;
    const told = schema.anyOf.some((other) => typesOf(resolve(other)).includes("string")) ? `list ${inner}` : inner;
    if (!said.includes(told)) said.push(told);
  }
  const values = schema.additionalProperties;
  if (values?.minimum !== undefined) said.push(`values ${values.minimum} to ${values.maximum}`);
  return said.join("; ");
}

/** The objects within a schema whose fields are worth a table: itself, its items, its alternatives. */
function objects(node, depth = 0) {
  const schema = resolve(node);
  if (depth > 4) return [];
  if (schema.properties) return [schema];
  if (schema.anyOf) return schema.anyOf.flatMap((part) => objects(part, depth + 1));
  if (schema.items) return objects(schema.items, depth + 1);
  return [];
}

/** What tells an alternative from the others: its `type` or `role`. */
function alternative(schema) {
  for (const name of ["type", "role"]) {
    const mark = resolve(schema.properties?.[name] ?? {});
    const values = mark.const !== undefined ? [mark.const] : mark.enum;
    if (values) return values.join(", ");
  }
  return "";
}

/** A table of fields; those that are objects open below it. */
function fields(node, label, seen = []) {
  const all = objects(node);
  if (all.length === 0) return [];
  if (all.length > 1) {
    return all.map((each) =>
      h("details", { class: "nested" },
        h("summary", {}, h("code", {}, alternative(each) || label), " ", h("span", { class: "quiet" }, ...prose(each.description))),
        ...table(each, label, seen)));
  }
  return table(all[0], label, seen);
}

function table(schema, label, seen) {
  const required = new Set(schema.required ?? []);
  const rows = [];
  const nested = [];
  for (const [name, node] of Object.entries(schema.properties)) {
    const field = resolve(node);
    const preset = field.default === undefined || field.default === null ? "" : JSON.stringify(field.default);
    rows.push(h("tr", {},
      h("th", { scope: "row" }, h("code", {}, name), required.has(name) ? h("span", { class: "required" }, "required") : ""),
      h("td", {}, h("span", { class: "kind" }, kind(node).replaceAll(" or null", ""))),
      h("td", {}, limits(node), preset && limits(node) ? h("br") : "", preset ? h("span", { class: "quiet" }, "default ", h("code", {}, preset)) : ""),
      h("td", {}, ...prose(field.description))));
    const inner = objects(node);
    const reference = JSON.stringify(node);
    if (inner.length && !seen.includes(reference)) {
      nested.push(h("details", { class: "nested" },
        h("summary", {}, "Fields of ", h("code", {}, name)),
        ...fields(node, name, [...seen, reference])));
    }
  }
  const head = ["Field", "Type", "Range", "Meaning"].map((text) => h("th", { scope: "col" }, text));
  return [
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Fields of ${label}` },
      h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows))),
    ...nested,
  ];
}

const pretty = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function example(title, value) {
  return h("details", { class: "nested" }, h("summary", {}, title), h("pre", { tabindex: 0, "aria-label": title }, pretty(value)));
}

function parameters(operation) {
  if (!operation.parameters) return [];
  const rows = operation.parameters.map((parameter) =>
    h("tr", {},
      h("th", { scope: "row" }, h("code", {}, parameter.name), parameter.required ? h("span", { class: "required" }, "required") : ""),
      h("td", {}, h("span", { class: "kind" }, `${kind(parameter.schema)} in the ${parameter.in}`)),
      h("td", {}, limits(parameter.schema)),
      h("td", {}, ...prose(parameter.description))));
  const head = ["Parameter", "Type", "Range", "Meaning"].map((text) => h("th", { scope: "col" }, text));
  return [h("h4", {}, "Parameters"), h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Parameters" },
    h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)))];
}

function answers(operation) {
  return Object.entries(operation.responses).map(([status, node]) => {
    const answer = resolve(node);
    const parts = [];
    for (const [type, media] of Object.entries(answer.content ?? {})) {
      parts.push(h("p", {}, h("code", {}, type), media.schema?.description ? ": " : "", ...prose(media.schema?.description)));
      parts.push(...fields(media["x-event"] ?? media.schema ?? {}, "the answer"));
      for (const each of Object.values(media.examples ?? {})) parts.push(example(each.summary ?? "Example", each.value));
    }
    return h("details", { class: "answer" },
      h("summary", {}, h("span", { class: `status s${status[0]}` }, status), " ", ...prose(answer.description)), ...parts);
  });
}

// ---- try it

/** The example with the id of a model that is really there. */
function real(value) {
  if (!served || value === null || typeof value !== "object" || value.model !== PLACEHOLDER) return value;
  return { ...value, model: served };
}

function filledPath(path, operation) {
  let filled = path;
  const query = [];
  for (const parameter of operation.parameters ?? []) {
    const value = encodeURIComponent(parameter.name === "model" && served ? served : String(parameter.example ?? ""));
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, value);
    if (parameter.in === "query") query.push(`${parameter.name}=${value}`);
  }
  return query.length ? `${filled}?${query.join("&")}` : filled;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function curl(method, path, body) {
  const lines = [`curl ${method === "POST" ? "" : method === "GET" ? "" : `-X ${method} `}${quoted(location.origin + path)}`];
  if (byId("key").value) lines.push('-H "Authorization: Bearer $PENJING_API_KEY"');
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'", `-d ${quoted(body)}`);
  return lines.join(" \\\n  ");
}

function tryIt(path, method, operation, id) {
  const examples = Object.entries(operation.requestBody?.content?.["application/json"]?.examples ?? {});
  const target = h("input", { id: `${id}-path`, type: "text", spellcheck: "false", autocomplete: "off" });
  const body = examples.length ? h("textarea", { id: `${id}-body`, rows: 12, spellcheck: "false" }) : undefined;
  const choice = examples.length
    ? h("select", { id: `${id}-example` }, ...examples.map(([name, each]) => h("option", { value: name }, each.summary ?? name)))
    : undefined;
  const send = h("button", { type: "submit" }, "Send");
  const stop = h("button", { type: "button", class: "plain", hidden: true }, "Stop");
  const status = h("p", { class: "outcome", role: "status" });
  const answer = h("pre", { tabindex: 0, "aria-label": "Answer", hidden: true });
  const command = h("pre", { tabindex: 0, "aria-label": "The same with curl" });
  let touched = false;
  let running;

  const showCommand = () => { command.textContent = curl(method.toUpperCase(), target.value, body?.value); };
  const fill = () => {
    target.value = filledPath(path, operation);
    if (body) body.value = pretty(real(examples.find(([name]) => name === choice.value)[1].value));
    touched = false;
    showCommand();
  };
  choice?.addEventListener("change", fill);
  for (const input of [target, body]) input?.addEventListener("input", () => { touched = true; showCommand(); });
  listeners.push(() => { if (touched) showCommand(); else fill(); });
  fill();
  stop.addEventListener("click", () => running?.abort());

  const submit = async (event) => {
    event.preventDefault();
    if (running) return;
    running = new AbortController();
    send.disabled = true;
    stop.hidden = false;
    answer.hidden = false;
    answer.textContent = "";
    status.className = "outcome";
    status.textContent = "Waiting …";
    const began = performance.now();
    let said = "";
    try {
      const headers = {};
      if (byId("key").value) headers.Authorization = `Bearer ${byId("key").value}`;
      if (body) headers["Content-Type"] = "application/json";
      const reply = await fetch(target.value, {
        method: method.toUpperCase(), headers, body: body?.value, signal: running.signal, cache: "no-store", redirect: "manual",
      });
      said = `${reply.status} ${reply.statusText}`.trim();
      status.classList.add(reply.ok ? "good" : "bad");
      const request = reply.headers.get("x-request-id");
      const later = reply.headers.get("retry-after");
      await read(reply, answer, () => { status.textContent = `${said} …`; });
      const facts = [said, `${Math.round(performance.now() - began)} ms`, reply.headers.get("content-type")?.split(";")[0]];
      if (request) facts.push(`request ${request}`);
      if (later) facts.push(`try again in ${later} s`);
      status.textContent = facts.filter(Boolean).join(" · ");
    } catch (problem) {
      status.classList.remove("good");
      status.classList.add("bad");
      status.textContent = running.signal.aborted ? "Stopped." : `No answer: ${problem.message}`;
    } finally {
      running = undefined;
      send.disabled = false;
      stop.hidden = true;
    }
  };

  return h("details", { class: "try" },
    h("summary", {}, "Try it"),
    h("form", { on: { submit } },
      choice ? h("div", { class: "row" }, h("label", { for: choice.id }, "Example"), choice) : "",
      h("div", { class: "row" }, h("label", { for: target.id }, h("span", { class: `method ${method}` }, method.toUpperCase())), target),
      body ? h("label", { for: body.id }, "Body, JSON") : "",
      body ?? "",
      h("div", { class: "row" }, send, stop),
      status, answer),
    h("details", { class: "nested" }, h("summary", {}, "The same with curl"), command));
}

/** Shows an answer as it comes; JSON is laid out once it is whole. */
async function read(reply, place, progress) {
  if (!reply.body) return;
  const json = (reply.headers.get("content-type") ?? "").startsWith("application/json");
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    text += part.value;
    progress();
    place.textContent = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n… ${text.length} characters so far` : text;
  }
  if (json && text.length < MOST_SHOWN) {
    try {
      place.textContent = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // shown as it came
    }
  }
}

// ---- the page

const idOf = (operation, path, method) => operation.operationId ?? `${method}${path}`.replaceAll(/[^a-zA-Z0-9]+/g, "-");

function article(path, method, operation) {
  const id = idOf(operation, path, method);
  const needsKey = (operation.security ?? api.security ?? []).length > 0;
  const request = operation.requestBody?.content?.["application/json"];
  return h("article", { id, tabindex: -1, "aria-labelledby": `${id}-name` },
    h("h3", { id: `${id}-name` }, h("span", { class: `method ${method}` }, method.toUpperCase()), " ", h("code", {}, path)),
    h("p", { class: "lead" }, h("strong", {}, `${operation.summary}.`), " ", ...prose(operation.description), needsKey ? "" : h("span", { class: "open" }, "no key")),
    tryIt(path, method, operation, id),
    ...parameters(operation),
    ...(request ? [h("h4", {}, "Request"), ...fields(request.schema, "the request")] : []),
    ...Object.values(request?.examples ?? {}).slice(0, 1).map((each) => example(`Example: ${each.summary}`, each.value)),
    h("h4", {}, "Answers"), ...answers(operation));
}

function show() {
  const contents = byId("contents");
  const main = byId("main");
  byId("version").textContent = api.info.version;
  main.replaceChildren(h("p", { class: "about" }, ...prose(api.info.description)));
  for (const tag of api.tags ?? []) {
    const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
      METHODS.filter((method) => methods[method]?.tags?.includes(tag.name)).map((method) => [path, method, methods[method]]));
    if (!operations.length) continue;
    main.append(h("section", { "aria-labelledby": `tag-${tag.name}` },
      h("h2", { id: `tag-${tag.name}` }, tag.name), h("p", { class: "quiet" }, tag.description ?? ""),
      ...operations.map(([path, method, operation]) => article(path, method, operation))));
    contents.append(h("h2", {}, tag.name), h("ul", {}, ...operations.map(([path, method, operation]) =>
      h("li", {}, h("a", { href: `#${idOf(operation, path, method)}` }, h("span", { class: `method ${method}` }, method.toUpperCase()), " ", path)))));
  }
  if (location.hash) byId(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

/** Examples name a model that is really served, if the server tells. */
async function askModels() {
  try {
    const key = byId("key").value;
    const reply = await fetch("/v1/models", { headers: key ? { Authorization: `Bearer ${key}` } : {} });
    if (reply.ok) served = (await reply.json()).data?.[0]?.id ?? "";
  } catch {
    // the examples keep their names
  }
  for (const listener of listeners) listener();
}

byId("key-form").addEventListener("submit", (event) => event.preventDefault());
byId("key").addEventListener("change", askModels);

try {
  const reply = await fetch("/openapi.json");
  if (!reply.ok) throw new Error(`the server answered ${reply.status}`);
  api = await reply.json();
  show();
  await askModels();
} catch (problem) {
  byId("main").replaceChildren(h("p", { role: "alert" }, `/openapi.json could not be shown: ${problem.message}`));
}
