// A conversation as a file: JSON, or Markdown to read.

import { modelsOf, titleOf } from "./store.js";

const quoted = (text) => text.split(/\r\n|\n|\r/).map((line) => `> ${line}`.trimEnd()).join("\n");

/** Questions as quotations, answers as the models wrote them. */
export function markdown(conversation) {
  const parts = [`# ${titleOf(conversation)}`, `${modelsOf(conversation).join(", ")} · ${new Date(conversation.updated).toISOString()}`];
  for (const { model, turns } of conversation.columns) {
    if (conversation.columns.length > 1) parts.push(`## ${model}`);
    for (const { question, choices, status, error } of turns) {
      parts.push(quoted(question));
      parts.push(...choices.map((choice) => choice.text).filter(Boolean));
      if (status === "stopped") parts.push("*(stopped)*");
      if (error) parts.push(`*(${error.message})*`);
    }
  }
  return `${parts.join("\n\n")}\n`;
}

/** Messages as the interface takes them, one list for each column, with the settings of each request. */
export function json(conversations) {
  const plain = conversations.map((conversation) => ({
    title: titleOf(conversation),
    updated: new Date(conversation.updated).toISOString(),
    columns: conversation.columns.map(({ model, turns }) => ({
      model,
      messages: turns.flatMap(({ question, choices }) => [{ role: "user", content: question }, ...(choices[0]?.text ? [{ role: "assistant", content: choices[0].text }] : [])]),
      turns,
    })),
  }));
  return `${JSON.stringify({ conversations: plain }, null, 2)}\n`;
}

/** A file's name of a title: letters and digits of any script. */
export function fileName(title, ending) {
  const name = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 50);
  return `${name || "conversation"}.${ending}`;
}

/** Lets the browser save a text as a file. */
export function download(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
