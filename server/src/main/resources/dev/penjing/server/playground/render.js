// Draws Markdown: makes the page's nodes of what markdown.js has read. A model's text only ever becomes text nodes.

import { copy, h, icon } from "./dom.js";
import { highlight } from "./highlight.js";
import { mathml } from "./math.js";
import { parse } from "./markdown.js";

const MATHML = "http://www.w3.org/1998/Math/MathML";

/** The text as a list of block elements. */
export function blocks(text) {
  return parse(text).map(block);
}

function block(node) {
  switch (node.type) {
    case "heading":
      return h("p", { class: "heading", role: "heading", "aria-level": String(Math.min(6, node.level + 2)), "data-level": node.level, dir: "auto" }, ...node.children.map(inline));
    case "rule":
      return h("hr");
    case "code":
      return codeBlock(node.text, node.language);
    case "math":
      return h("div", { class: "formula" }, formula(node.text, true));
    case "quote":
      return h("blockquote", { dir: "auto" }, ...node.children.map(block));
    case "list":
      return h(node.ordered ? "ol" : "ul", { dir: "auto", start: node.start }, ...node.items.map(item));
    case "table":
      return drawTable(node);
    default:
      return h("p", { dir: "auto" }, ...node.children.map(inline));
  }
}

/** A paragraph at an item's head stands beside its sign. */
function item(children) {
  const [first, ...rest] = children;
  const head = first?.type === "paragraph" ? first.children.map(inline) : first ? [block(first)] : [];
  return h("li", {}, ...head, ...rest.map(block));
}

function drawTable({ align, head, rows }) {
  const row = (tag, cells) => h("tr", {}, ...cells.map((cell, index) => h(tag, { class: align[index], dir: "auto", scope: tag === "th" ? "col" : null }, ...cell.map(inline))));
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, row("th", head)), h("tbody", {}, ...rows.map((cells) => row("td", cells)))));
}

function inline(node) {
  if (typeof node === "string") return node;
  switch (node.type) {
    case "code":
      return h("code", { text: node.text });
    case "math":
      return formula(node.text, Boolean(node.display));
    case "break":
      return h("br");
    case "link":
      return h("a", { href: node.href, target: "_blank", rel: "noopener", title: node.href }, ...node.children.map(inline));
    default:
      return h(node.type, {}, ...node.children.map(inline)); // strong, em, del
  }
}

/** A formula, or what was written where it cannot be drawn. */
function formula(text, display) {
  const tree = mathml(text, display);
  return tree ? element(tree) : h("code", { class: "latex", title: "A formula in LaTeX", text: text });
}

function element([tag, attributes, ...children]) {
  const made = document.createElementNS(MATHML, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...children.map((child) => (typeof child === "string" ? child : element(child))));
  return made;
}

/** Code with a little colour. */
export function code(text, language) {
  const pieces = highlight(text, language).map(({ kind, text: piece }) => (kind === "plain" ? piece : h("span", { class: `code-${kind}`, text: piece })));
  return h("pre", { tabindex: "0", "aria-label": language ? `Code in ${language}` : "Code" }, h("code", {}, ...pieces));
}

/** Code under its language's name and a button that copies it. */
function codeBlock(text, language) {
  return h("div", { class: "code-block" },
    h("div", { class: "code-head" },
      h("span", { "data-testid": "code-language", text: language || "code" }),
      h("button", { type: "button", class: "button quiet small", "data-testid": "copy-block", on: { click: () => copy(text, "Code") } }, icon("copy"), "Copy")),
    code(text, language));
}
