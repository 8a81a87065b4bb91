// A request as a program: curl, Python, JavaScript, Java. Pure functions of the request as it was sent.

export const LANGUAGES = [
  { id: "curl", name: "curl" },
  { id: "python", name: "Python" },
  { id: "javascript", name: "JavaScript" },
  { id: "java", name: "Java" },
];

/** A program that repeats `request` = {endpoint, body}; `origin` is the server's, `keyRequired` whether it asks for a key. */
export function generate(language, { endpoint, body }, { origin, keyRequired }) {
  const chat = endpoint.endsWith("/chat/completions");
  return { curl, python, javascript, java }[language]({ endpoint, chat, body, origin, keyRequired });
}

/** What must be installed for the program. */
export const NEEDS = {
  curl: "curl, in a shell such as bash or zsh",
  python: "pip install openai",
  javascript: "npm install openai, and save as ask.mjs",
  java: "com.openai:openai-java:4.101.0, and save as Ask.java",
};

const CHAT = [
  "model messages max_tokens max_completion_tokens temperature top_p n stop seed stream stream_options logprobs top_logprobs",
  "logit_bias presence_penalty frequency_penalty response_format tools tool_choice parallel_tool_calls user",
].join(" ").split(" ");
const TEXT =
  "model prompt max_tokens temperature top_p n best_of echo stop seed stream stream_options logprobs logit_bias presence_penalty frequency_penalty suffix user".split(" ");

/** The fields that the clients know, and those of this server that they must be told to pass on. */
function split(chat, body) {
  const known = new Set(chat ? CHAT : TEXT);
  const entries = Object.entries(body);
  return {
    fields: entries.filter(([name]) => known.has(name)),
    extras: entries.filter(([name]) => !known.has(name)),
  };
}

/** Of several answers, pieces come in turn: a program must sort them before it prints. */
const several = (body) => (body.n ?? 1) > 1;

const indent = (text, spaces) => text.replaceAll("\n", `\n${" ".repeat(spaces)}`);
const SHORT = 60;

/** Writes a JSON value in a language's words; short values stand on one line. */
function literal(value, words) {
  if (value === null) return words.null;
  if (typeof value === "boolean") return words[value];
  if (typeof value === "string") return words.string(value);
  if (typeof value === "number") return String(value);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const parts = Array.isArray(value)
    ? value.map((item) => literal(item, words))
    : Object.entries(value).map(([name, item]) => `${words.name(name)}: ${literal(item, words)}`);
  if (!parts.length) return open + close;
  const pad = Array.isArray(value) ? "" : words.pad;
  const line = `${open}${pad}${parts.join(", ")}${pad}${close}`;
  const flat = !parts.some((part) => part.includes("\n"));
  // A message stays on one line whatever its length: role and text are read together.
  if (flat && (line.length <= SHORT || (!Array.isArray(value) && "role" in value))) return line;
  const step = " ".repeat(words.step);
  return `${open}\n${parts.map((part) => `${step}${indent(part, words.step)},\n`).join("")}${close}`;
}

// A string of JSON is a string of Python and of JavaScript too: quotes, backslashes and control characters are escaped
// alike in all three, and ES2019 allows U+2028 in strings.
const PYTHON = { null: "None", true: "True", false: "False", string: JSON.stringify, name: JSON.stringify, pad: "", step: 4 };
const JAVASCRIPT = {
  null: "null",
  true: "true",
  false: "false",
  string: JSON.stringify,
  name: (name) => (/^[A-Za-z_$][\w$]*$/.test(name) && name !== "__proto__" ? name : name === "__proto__" ? '["__proto__"]' : JSON.stringify(name)),
  pad: " ",
  step: 2,
};

function curl({ endpoint, body, origin, keyRequired }) {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  return [
    `curl ${body.stream ? "--no-buffer " : ""}${quoted(origin + endpoint)}`,
    "-H 'Content-Type: application/json'",
    keyRequired ? '-H "Authorization: Bearer $PENJING_API_KEY"' : null,
    `--data-raw ${quoted(JSON.stringify(body, null, 2))}`,
  ].filter(Boolean).join(" \\\n  ") + "\n";
}

function python({ chat, body, origin, keyRequired }) {
  const { fields, extras } = split(chat, body);
  const call = `client.${chat ? "chat.completions" : "completions"}.create`;
  const values = fields.map(([name, value]) => `    ${name}=${indent(literal(value, PYTHON), 4)},`);
  if (extras.length) values.push(`    extra_body=${indent(literal(Object.fromEntries(extras), PYTHON), 4)},`);
  const text = chat ? "choice.delta.content" : "choice.text";
  const whole = chat ? "choice.message.content" : "choice.text";
  return [
    ...(keyRequired ? ["import os", ""] : []),
    "from openai import OpenAI",
    "",
    "client = OpenAI(",
    `    base_url=${JSON.stringify(`${origin}/v1`)},`,
    keyRequired ? '    api_key=os.environ["PENJING_API_KEY"],' : '    api_key="none",  # this server asks for no key, the client does',
    ")",
    "",
    `${body.stream ? "stream" : "answer"} = ${call}(`,
    ...values,
    ")",
    ...(!body.stream
      ? ["for choice in answer.choices:", `    print(${whole})`]
      : several(body)
        ? ["texts = {}", "for chunk in stream:", "    for choice in chunk.choices:", `        texts[choice.index] = texts.get(choice.index, "") + (${text} or "")`, "for text in texts.values():", "    print(text)"]
        : ["for chunk in stream:", "    for choice in chunk.choices:", `        print(${text} or "", end="", flush=True)`, "print()"]),
    "",
  ].join("\n");
}

function javascript({ chat, body, origin, keyRequired }) {
  const { fields, extras } = split(chat, body);
  const line = ([name, value]) => `  ${JAVASCRIPT.name(name)}: ${indent(literal(value, JAVASCRIPT), 2)},`;
  const text = chat ? 'choice.delta?.content ?? ""' : "choice.text";
  const whole = chat ? "choice.message.content" : "choice.text";
  return [
    'import OpenAI from "openai";',
    "",
    "const client = new OpenAI({",
    `  baseURL: ${JSON.stringify(`${origin}/v1`)},`,
    keyRequired ? "  apiKey: process.env.PENJING_API_KEY," : '  apiKey: "none", // this server asks for no key, the client does',
    "});",
    "",
    `const ${body.stream ? "stream" : "answer"} = await client.${chat ? "chat.completions" : "completions"}.create({`,
    ...fields.map(line),
    ...(extras.length ? ["  // fields of this server that the client's types do not name", ...extras.map(line)] : []),
    "});",
    ...(!body.stream
      ? ["for (const choice of answer.choices) {", `  console.log(${whole});`, "}"]
      : several(body)
        ? ["const texts = [];", "for await (const chunk of stream) {", "  for (const choice of chunk.choices) {", `    texts[choice.index] = (texts[choice.index] ?? "") + (${text});`, "  }", "}", 'console.log(texts.join("\\n"));']
        : ["for await (const chunk of stream) {", "  for (const choice of chunk.choices) {", `    process.stdout.write(${text});`, "  }", "}", "console.log();"]),
    "",
  ].join("\n");
}

// JSON writes control characters as \u00XX. Java reads such escapes before anything else, so that they would end a
// string if they were line breaks; those JSON writes as \n and \r.
const javaString = (text) => JSON.stringify(text);
const javaLong = (value) => `${value}L`;
const javaDouble = (value) => (Number.isInteger(value) ? `${value}.0` : String(value));

const SETTERS = {
  max_tokens: ["maxTokens", javaLong],
  max_completion_tokens: ["maxCompletionTokens", javaLong],
  temperature: ["temperature", javaDouble],
  top_p: ["topP", javaDouble],
  n: ["n", javaLong],
  seed: ["seed", javaLong],
  presence_penalty: ["presencePenalty", javaDouble],
  frequency_penalty: ["frequencyPenalty", javaDouble],
  top_logprobs: ["topLogprobs", javaLong],
  logprobs: ["logprobs", (value) => (typeof value === "boolean" ? String(value) : javaLong(value))],
  parallel_tool_calls: ["parallelToolCalls", String],
  echo: ["echo", String],
  best_of: ["bestOf", javaLong],
};

function java({ chat, body, origin, keyRequired }) {
  const imports = new Set(["com.openai.client.OpenAIClient", "com.openai.client.okhttp.OpenAIOkHttpClient"]);
  const pack = chat ? "com.openai.models.chat.completions" : "com.openai.models.completions";
  const params = chat ? "ChatCompletionCreateParams" : "CompletionCreateParams";
  imports.add(`${pack}.${params}`);
  const calls = [];
  let throwing = false;
  for (const [name, value] of Object.entries(body)) {
    if (name === "stream") continue; // createStreaming says it
    if (name === "model" || name === "prompt") calls.push(`${name}(${javaString(value)})`);
    else if (name === "messages") calls.push(...value.map(javaMessage));
    else if (name in SETTERS && value !== null) calls.push(`${SETTERS[name][0]}(${SETTERS[name][1](value)})`);
    else if (name === "stop" && typeof value === "string") calls.push(`stop(${javaString(value)})`);
    else if (name === "stop") {
      imports.add("java.util.List");
      calls.push(`stopOfStrings(List.of(${value.map(javaString).join(", ")}))`);
    } else if (name === "stream_options") {
      imports.add("com.openai.models.chat.completions.ChatCompletionStreamOptions");
      calls.push(`streamOptions(ChatCompletionStreamOptions.builder().includeUsage(${Boolean(value.include_usage)}).build())`);
    } else {
      imports.add("com.openai.core.JsonValue");
      if (value !== null && typeof value === "object") {
        throwing = true;
        imports.add("com.fasterxml.jackson.databind.ObjectMapper");
        calls.push(`putAdditionalBodyProperty(${javaString(name)}, JsonValue.fromJsonNode(new ObjectMapper().readTree("""\n${javaBlock(value)}""")))`);
      } else {
        const plain = typeof value === "string" ? javaString(value) : value === null ? "(Object) null" : Number.isInteger(value) ? javaLong(value) : String(value);
        calls.push(`putAdditionalBodyProperty(${javaString(name)}, JsonValue.from(${plain}))`);
      }
    }
  }
  const service = `client.${chat ? "chat().completions()" : "completions()"}`;
  const chunk = chat ? "ChatCompletionChunk" : "Completion";
  let run;
  if (body.stream) {
    imports.add("com.openai.core.http.StreamResponse").add(`${pack}.${chunk}`);
    const each = [`try (StreamResponse<${chunk}> stream = ${service}.createStreaming(params)) {`, "    stream.stream()", "            .flatMap(chunk -> chunk.choices().stream())"];
    if (several(body)) {
      imports.add("java.util.Map").add("java.util.TreeMap");
      const text = chat ? 'choice.delta().content().orElse("")' : "choice.text()";
      run = ["Map<Long, String> texts = new TreeMap<>();", ...each, `            .forEach(choice -> texts.merge(choice.index(), ${text}, String::concat));`, "}", "texts.values().forEach(System.out::println);"];
    } else {
      const text = chat ? "            .flatMap(choice -> choice.delta().content().stream())" : "            .map(choice -> choice.text())";
      run = [...each, text, "            .forEach(System.out::print);", "}", "System.out.println();"];
    }
  } else {
    run = [
      `${service}.create(params).choices().stream()`,
      ...(chat ? ["        .flatMap(choice -> choice.message().content().stream())"] : ["        .map(choice -> choice.text())"]),
      "        .forEach(System.out::println);",
    ];
  }
  return [
    ...[...imports].sort().map((name) => `import ${name};`),
    "",
    "public class Ask {",
    `    public static void main(String[] args)${throwing ? " throws Exception" : ""} {`,
    "        OpenAIClient client = OpenAIOkHttpClient.builder()",
    `                .baseUrl(${javaString(`${origin}/v1`)})`,
    keyRequired ? '                .apiKey(System.getenv("PENJING_API_KEY"))' : '                .apiKey("none") // this server asks for no key, the client does',
    "                .build();",
    `        ${params} params = ${params}.builder()`,
    ...calls.map((call) => `                .${call}`),
    "                .build();",
    ...run.map((line) => `        ${line}`),
    "    }",
    "}",
    "",
  ].join("\n");
}

function javaMessage({ role, content }) {
  const method = { system: "addSystemMessage", user: "addUserMessage", assistant: "addAssistantMessage" }[role];
  return `${method}(${javaString(content)})`;
}

/** JSON as a text block of Java, whose backslashes are doubled and whose quotes stand as they are. */
function javaBlock(value) {
  const text = JSON.stringify(value, null, 2).replaceAll("\\", "\\\\");
  return text.split("\n").map((line) => `                        ${line}`).join("\n");
}
