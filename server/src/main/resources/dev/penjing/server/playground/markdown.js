// Markdown as plain values: paragraphs, headings, lists in lists, quotations, tables, code and formulas. Whatever else
// stands in a text stays text; nothing is ever read as HTML. Nothing here touches the page: see render.js.

import { inlines } from "./inline.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?: *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])(?: +(.*)|)$/;
const DELIMITERS = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const FORMULA = [[/^\s*\$\$(.*)$/, "$$"], [/^\s*\\\[(.*)$/, "\\]"]];
// Quotations and lists in one another beyond this stay text.
const DEPTH = 12;

/** The text's blocks: {type: paragraph, heading, rule, code, math, quote, list or table, ...}. */
export function parse(text) {
  return blocks(text.replaceAll("\t", "    ").split(/\r\n|\n|\r/), 0);
}

function blocks(lines, depth) {
  const out = [];
  let paragraph = [];
  const end = () => {
    if (paragraph.length) out.push({ type: "paragraph", children: inlines(paragraph.join("\n")) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    const taken = line.trim() === "" ? { lines: 1 } : block(lines, at, depth, paragraph.length > 0);
    if (taken) {
      end();
      if (taken.block) out.push(taken.block);
      at += taken.lines;
    } else {
      paragraph.push(line.trim());
      at++;
    }
  }
  end();
  return out;
}

/** The block other than a paragraph that begins at a line, and how many lines it has; null if none does. */
function block(lines, at, depth, inParagraph) {
  const line = lines[at];
  const fence = FENCE.exec(line);
  if (fence) return fenced(lines, at, fence);
  const heading = HEADING.exec(line);
  if (heading) return { block: { type: "heading", level: heading[1].length, children: inlines(heading[2]) }, lines: 1 };
  if (RULE.test(line)) return { block: { type: "rule" }, lines: 1 };
  const math = formula(lines, at);
  if (math) return math;
  if (line.includes("|") && DELIMITERS.test(lines[at + 1] ?? "")) {
    const found = table(lines, at);
    if (found) return found;
  }
  if (depth >= DEPTH) return null;
  if (QUOTE.test(line)) return quote(lines, at, depth);
  const item = ITEM.exec(line);
  // "1986. What a year" in the middle of a paragraph is no list, and neither is a line that has a sign alone.
  if (item && (!inParagraph || (item[3] && (!ordered(item) || parseInt(item[2], 10) === 1)))) return list(lines, at, depth);
  return null;
}

function fenced(lines, at, fence) {
  const indent = /^ */.exec(lines[at])[0].length;
  const code = [];
  let next = at + 1;
  for (; next < lines.length && !closes(lines[next], fence[1]); next++) code.push(lines[next].replace(new RegExp(`^ {0,${indent}}`), ""));
  return { block: { type: "code", language: fence[2], text: code.join("\n") }, lines: next + 1 - at };
}

function closes(line, fence) {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence[0].repeat(trimmed.length);
}

/** A formula on lines of its own; one without an end is a text, which may be about to get one. */
function formula(lines, at) {
  for (const [begins, ends] of FORMULA) {
    const found = begins.exec(lines[at]);
    if (!found) continue;
    const parts = [];
    for (let next = at; next < lines.length && next < at + 60; next++) {
      const line = next === at ? found[1] : lines[next];
      const stop = line.indexOf(ends);
      if (stop < 0) parts.push(line);
      else if (line.slice(stop + 2).trim() !== "") break;
      else return { block: { type: "math", text: [...parts, line.slice(0, stop)].join("\n").trim() }, lines: next + 1 - at };
    }
  }
  return null;
}

function quote(lines, at, depth) {
  const inner = [];
  let next = at;
  for (; next < lines.length; next++) {
    const found = QUOTE.exec(lines[next]);
    if (!found && (lines[next].trim() === "" || block(lines, next, DEPTH, true))) break;
    inner.push(found ? found[1] : lines[next]);
  }
  return { block: { type: "quote", children: blocks(inner, depth + 1) }, lines: next - at };
}

const ordered = (item) => /\d/.test(item[2]);

/** A list: its items are blocks again. What stands two places further in than an item's sign belongs to the item. */
function list(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  const items = [];
  let next = at;
  while (next < lines.length) {
    const item = ITEM.exec(lines[next]);
    if (!item || ordered(item) !== ordered(first) || item[1].length >= first[1].length + 2 || RULE.test(lines[next])) break;
    const inside = item[1].length + 2;
    const inner = [item[3] ?? ""];
    const content = item[1].length + item[2].length + 1;
    let blank = false;
    for (next++; next < lines.length; next++) {
      const line = lines[next];
      const indent = line.length - line.trimStart().length;
      if (line.trim() === "") {
        blank = true;
        inner.push("");
        continue;
      }
      const goesOn = !blank && !ITEM.test(line) && !block(lines, next, DEPTH, true);
      if (indent < inside && !goesOn) break;
      inner.push(line.slice(Math.min(indent, content)));
      blank = false;
    }
    const task = /^\[([ xX])\]\s+/.exec(inner[0]);
    if (task) inner[0] = `${task[1] === " " ? "☐" : "☑"} ${inner[0].slice(task[0].length)}`;
    items.push(blocks(inner, depth + 1));
  }
  return { block: { type: "list", ordered: ordered(first), start: ordered(first) ? parseInt(first[2], 10) : null, items }, lines: next - at };
}

/** A row's cells; a bar after a backslash or in code is no border. */
function cells(line) {
  const out = [""];
  let code = false;
  const row = line.trim().replace(/^\|/, "").replace(/(^|[^\\])\|$/, "$1");
  for (let at = 0; at < row.length; at++) {
    if (row[at] === "\\" && row[at + 1] === "|") out[out.length - 1] += row[++at];
    else if (row[at] === "|" && !code) out.push("");
    else {
      if (row[at] === "`") code = !code && row.indexOf("`", at + 1) > 0;
      out[out.length - 1] += row[at];
    }
  }
  return out.map((cell) => cell.trim());
}

function table(lines, at) {
  const head = cells(lines[at]);
  const marks = cells(lines[at + 1]);
  if (marks.length !== head.length) return null;
  const align = marks.map((mark) => (/^:.*:$/.test(mark) ? "center" : mark.endsWith(":") ? "end" : "start"));
  const rows = [];
  let next = at + 2;
  for (; next < lines.length && lines[next].includes("|"); next++) {
    const row = cells(lines[next]);
    rows.push(head.map((_, index) => inlines(row[index] ?? "")));
  }
  return { block: { type: "table", align, head: head.map((cell) => inlines(cell)), rows }, lines: next - at };
}
