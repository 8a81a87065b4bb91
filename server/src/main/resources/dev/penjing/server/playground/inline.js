// The inside of a paragraph of Markdown, as plain values: a text, or {type, ...} with code, strong, em, del, link, math
// or break. Nothing here touches the page.

// A span's end is looked for this far, so that a text made of openers alone takes no longer than its length.
const REACH = 4000;
// Spans in spans beyond this stay text.
const DEPTH = 8;

const RULES = [
  // \( x \) and \[ x \], $$ x $$, $x$: a dollar before a digit or after a space is money
  [/\\\(([\s\S]+?)\\\)/y, (match) => ({ type: "math", text: match[1] })],
  [/\\\[([\s\S]+?)\\\]/y, (match) => ({ type: "math", text: match[1], display: true })],
  [/\$\$([^$]+?)\$\$/y, (match) => ({ type: "math", text: match[1], display: true })],
  [/\$(?=\S)((?:\\[\s\S]|[^$\\\n])*?(?:\\[\s\S]|[^$\\\s]))\$(?!\d)/y, (match) => ({ type: "math", text: match[1] })],
  [/\\([!-/:-@[-`{-~])/y, (match) => match[1]],
  [/(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)/y, (match) => ({ type: "code", text: match[2] })],
  [/(\*\*|__)(?=\S)([^\n]*?\S)\1/y, (match, depth) => ({ type: "strong", children: inlines(match[2], depth + 1) })],
  [/~~(?=\S)([^\n]*?\S)~~/y, (match, depth) => ({ type: "del", children: inlines(match[1], depth + 1) })],
  [/\*(?=[^\s*])([^*\n]*?[^\s*])\*(?![\w*])/y, (match, depth) => ({ type: "em", children: inlines(match[1], depth + 1) })],
  [/_(?=[^\s_])([^_\n]*?[^\s_])_(?![\w_])/y, (match, depth) => ({ type: "em", children: inlines(match[1], depth + 1) })],
  [/!?\[((?:\\.|[^[\]\\\n])*)\]\(\s*<?((?:[^\s()<>]|\([^\s()]*\))+)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/y, link],
  [/<((?:https?:\/\/|mailto:)[^\s<>]+)>/y, (match) => address(match[1], [match[1]])],
  [/https?:\/\/[^\s<>"'`|\\^{}[\]]+/y, bare],
  [/\n/y, () => ({ type: "break" })],
];
const STARTS = /[\\$`*_~[!<h\n]/g;

/** The parts of a text. */
export function inlines(text, depth = 0) {
  if (depth > DEPTH) return [text];
  const out = [];
  let plain = "";
  const put = (part) => {
    if (typeof part === "string") plain += part;
    else {
      if (plain) out.push(plain);
      plain = "";
      out.push(part);
    }
  };
  let at = 0;
  while (at < text.length) {
    STARTS.lastIndex = at;
    const next = STARTS.exec(text)?.index ?? text.length;
    plain += text.slice(at, next);
    at = next;
    if (at === text.length) break;
    const found = match(text, at, depth);
    put(found ? found.part : text[at]);
    at += found ? found.length : 1;
  }
  if (plain) out.push(plain);
  return out;
}

function match(text, at, depth) {
  // The middle of a word begins nothing: snake_case, 2*3*4, and addresses glued to a word.
  const inWord = at > 0 && /[\p{L}\p{N}]/u.test(text[at - 1]);
  if (inWord && "_h".includes(text[at])) return null;
  const single = text[at] === "*" && text[at + 1] !== "*";
  if (single && inWord) return null;
  const part = text.slice(at, at + REACH);
  for (const [rule, make] of RULES) {
    rule.lastIndex = 0;
    const found = rule.exec(part);
    if (!found) continue;
    const made = make(found, depth);
    if (made !== null) return made.part ? made : { part: made, length: found[0].length };
  }
  return null;
}

/** A link that leads to the web or to a letter; any other scheme, and addresses within this page, stay text. */
export function safe(href) {
  try {
    const url = new URL(href);
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

function address(href, children) {
  const to = safe(href);
  return to === null ? null : { type: "link", href: to, children };
}

/** An image becomes a link to it: the page loads nothing from elsewhere. */
function link(found, depth) {
  return address(found[2], found[1] === "" ? [found[2]] : inlines(found[1], depth + 1));
}

/** An address that stands in a sentence ends before the sentence's own signs. */
function bare(found) {
  let text = found[0].replace(/[.,;:!?*_~]+$/, "");
  while (text.endsWith(")") && text.split(")").length > text.split("(").length) text = text.slice(0, -1);
  const made = address(text, [text]);
  return made && { part: made, length: text.length };
}
