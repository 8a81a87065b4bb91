// A little Markdown, made of nodes: paragraphs, headings, lists, code, bold and italic. Whatever else stands in the text
// stays text; nothing is ever read as HTML.

import { h } from "./dom.js";

const INLINE = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*(?=\S)([^\n]*?\S)\*\*|(?<![\w*])\*(?=[^\s*])([^*\n]*?[^\s*])\*(?![\w*])/g;

function inline(parent, text) {
  let from = 0;
  for (const match of text.matchAll(INLINE)) {
    parent.append(text.slice(from, match.index));
    if (match[2] !== undefined) parent.append(h("code", { text: match[2] }));
    else if (match[3] !== undefined) {
      const strong = h("strong");
      inline(strong, match[3]);
      parent.append(strong);
    } else parent.append(h("em", { text: match[4] }));
    from = match.index + match[0].length;
  }
  parent.append(text.slice(from));
  return parent;
}

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^ {0,3}[-*+]\s+(.*)$/;
const NUMBER = /^ {0,3}(\d{1,9})[.)]\s+(.*)$/;

/** The text as a list of block elements. */
export function blocks(text) {
  const lines = text.split(/\r\n|\n|\r/);
  const out = [];
  let paragraph = [];
  const endParagraph = () => {
    if (!paragraph.length) return;
    const p = h("p", { dir: "auto" });
    paragraph.forEach((line, index) => {
      if (index) p.append(h("br"));
      inline(p, line);
    });
    out.push(p);
    paragraph = [];
  };
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at];
    const fence = FENCE.exec(line);
    if (fence) {
      endParagraph();
      const code = [];
      while (++at < lines.length && !isEnd(lines[at], fence[1])) code.push(lines[at]);
      out.push(codeBlock(code.join("\n")));
      continue;
    }
    const heading = HEADING.exec(line);
    if (heading) {
      endParagraph();
      out.push(inline(h("p", { class: "heading", dir: "auto" }), heading[2]));
      continue;
    }
    if (BULLET.test(line) || (NUMBER.test(line) && !paragraph.length)) {
      endParagraph();
      at = list(lines, at, out);
      continue;
    }
    if (line.trim() === "") endParagraph();
    else paragraph.push(line);
  }
  endParagraph();
  return out;
}

export function codeBlock(text) {
  return h("pre", { tabindex: "0", "aria-label": "Code" }, h("code", { text }));
}

function isEnd(line, fence) {
  const trimmed = line.trim();
  return trimmed.length >= fence.length && trimmed === fence[0].repeat(trimmed.length);
}

function list(lines, at, out) {
  const ordered = !BULLET.test(lines[at]);
  const rule = ordered ? NUMBER : BULLET;
  const element = h(ordered ? "ol" : "ul", { dir: "auto", start: ordered ? NUMBER.exec(lines[at])[1] : null });
  for (; at < lines.length; at++) {
    const item = rule.exec(lines[at]);
    if (!item) break;
    element.append(inline(h("li"), item[item.length - 1]));
  }
  out.push(element);
  return at - 1;
}
