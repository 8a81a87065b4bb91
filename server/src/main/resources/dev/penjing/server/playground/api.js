// What the page says to the server, and how it reads the answers.

const KEY = "penjing.key";

export const key = {
  get() {
    try {
      return sessionStorage.getItem(KEY) ?? "";
    } catch {
      return "";
    }
  },
  set(value) {
    try {
      if (value) sessionStorage.setItem(KEY, value);
      else sessionStorage.removeItem(KEY);
    } catch {
      // Storage is closed to this page: the field itself still holds the key.
    }
  },
};

/** What went wrong, as the server said it. `status` is 0 where no answer came. */
export class ApiError extends Error {
  constructor({ status = 0, message, type = null, code = null, param = null, requestId = null, retryAfter = null }) {
    super(message);
    Object.assign(this, { status, type, code, param, requestId, retryAfter });
  }
}

function headers(apiKey) {
  return apiKey ? { Authorization: `Bearer ${apiKey}` } : {};
}

/** Seconds that `Retry-After` asks for (it is a number or a date), or null. */
export function retryAfter(value, now = Date.now()) {
  if (!value) return null;
  if (/^\d+$/.test(value.trim())) return Number(value.trim());
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, Math.ceil((date - now) / 1000));
}

function errorOf(response, text) {
  let error = null;
  try {
    error = JSON.parse(text).error;
  } catch {
    // Not JSON: a proxy's page, say. Its text is shown as it is.
  }
  return new ApiError({
    status: response.status,
    message: error?.message ?? (text.trim().slice(0, 500) || response.statusText || "The answer has no text."),
    type: error?.type,
    code: error?.code,
    param: error?.param,
    requestId: response.headers.get("x-request-id"),
    retryAfter: retryAfter(response.headers.get("retry-after")),
  });
}

/** Models, parameters and examples. */
export async function info(apiKey) {
  const response = await fetch("/playground/info", { headers: headers(apiKey), cache: "no-store" });
  const text = await response.text();
  if (!response.ok) throw errorOf(response, text);
  return JSON.parse(text);
}

let continuing = null;

/** Whether the server can go on with the last message: its own description of the interface says so. */
export function continues() {
  continuing ??= fetch("/openapi.json").then((response) => response.text()).then((text) => text.includes('"continue_final_message"'), () => false);
  return continuing;
}

/** `{state, message}`; state is ready, loading, draining or unreachable. */
export async function health() {
  try {
    const response = await fetch("/v1/health/ready", { cache: "no-store", signal: AbortSignal.timeout(5000) });
    const body = await response.json().catch(() => ({}));
    const message = String(body.message ?? body.error?.message ?? "");
    if (response.ok) return { state: "ready", message };
    const draining = body.error?.code === "draining" || /drain|shut|stopp/i.test(message);
    return { state: draining ? "draining" : "loading", message: message || `HTTP ${response.status}` };
  } catch {
    return { state: "unreachable", message: "The server does not answer." };
  }
}

/**
 * Splits a stream of text into lines and events, as server-sent events are defined: a line ends with CR, LF or both,
 * data of several lines is one event, and an empty line ends it.
 */
export class EventReader {
  #rest = "";
  #data = [];

  constructor(onLine, onData) {
    this.onLine = onLine;
    this.onData = onData;
  }

  push(text) {
    this.#rest += text;
    let start = 0;
    for (let at = 0; at < this.#rest.length; at++) {
      const char = this.#rest[at];
      if (char !== "\n" && char !== "\r") continue;
      // A CR at the very end may be half of CR LF: wait for what follows.
      if (char === "\r" && at + 1 === this.#rest.length) break;
      this.#line(this.#rest.slice(start, at));
      if (char === "\r" && this.#rest[at + 1] === "\n") at++;
      start = at + 1;
    }
    this.#rest = this.#rest.slice(start);
  }

  end() {
    if (this.#rest) this.#line(this.#rest.replace(/\r$/, ""));
    this.#rest = "";
  }

  #line(line) {
    this.onLine(line);
    if (line === "") {
      if (this.#data.length) this.onData(this.#data.join("\n"));
      this.#data = [];
    } else if (line.startsWith("data:")) {
      this.#data.push(line.slice(line[5] === " " ? 6 : 5));
    }
  }
}

/**
 * Sends a request and calls back: `onHeaders(response)` once, `onRaw(line)` for each line as it came, `onChunk(object)`
 * for each chunk (for the whole answer, where it is not streamed). Throws ApiError, or AbortError when stopped.
 */
export async function send(endpoint, body, { apiKey, signal, onHeaders, onRaw, onChunk }) {
  let response;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: body.stream ? "text/event-stream" : "application/json", ...headers(apiKey) },
      body: JSON.stringify(body),
      signal,
    });
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    throw new ApiError({ message: "The server does not answer.", code: "unreachable" });
  }
  onHeaders(response);
  const streamed = (response.headers.get("content-type") ?? "").includes("text/event-stream");
  if (!response.ok || !streamed) {
    const text = await read(response.text());
    onRaw(pretty(text));
    if (!response.ok) throw errorOf(response, text);
    onChunk(JSON.parse(text));
    return;
  }
  await readEvents(response, onRaw, onChunk);
}

async function readEvents(response, onRaw, onChunk) {
  const requestId = response.headers.get("x-request-id");
  let done = false;
  const events = new EventReader(onRaw, (data) => {
    if (data.startsWith("[DONE]")) {
      done = true;
      return;
    }
    const chunk = JSON.parse(data);
    // The status was sent before things went wrong, so it says nothing here.
    if (chunk.error) throw new ApiError({ status: response.status, requestId, ...chunk.error });
    onChunk(chunk);
  });
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { value, done: ended } = await read(reader.read());
    if (ended) break;
    events.push(decoder.decode(value, { stream: true }));
  }
  events.push(decoder.decode());
  events.end();
  if (!done) {
    throw new ApiError({ status: response.status, requestId, code: "cut_off", message: "The connection ended before the answer did." });
  }
}

async function read(promise) {
  try {
    return await promise;
  } catch (failure) {
    if (failure.name === "AbortError") throw failure;
    throw new ApiError({ code: "cut_off", message: "The connection broke before the answer ended." });
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
