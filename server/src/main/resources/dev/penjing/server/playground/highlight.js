// Light colours for code: comments, texts, numbers and the words of a language. It reads no grammar, so it may take a
// word for a keyword where it is none; the text itself is never changed.

const words = (text) => new Set(text.split(" "));
const C_COMMENT = String.raw`\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`;
const HASH = String.raw`#[^\n]*`;
const QUOTED = String.raw`"(?:\\[\s\S]|[^"\\\n])*(?:"|(?=\n)|$)|'(?:\\[\s\S]|[^'\\\n])*(?:'|(?=\n)|$)`;

const KINDS = {
  c: [C_COMMENT, QUOTED, words("auto bool break case catch char class const continue default delete do double else enum extern false float for if include inline int long namespace new nullptr private protected public return short signed sizeof static struct switch template this throw true try typedef union unsigned using virtual void while")],
  java: [C_COMMENT, `"""[\\s\\S]*?(?:"""|$)|${QUOTED}`, words("abstract assert boolean break byte case catch char class continue default do double else enum extends false final finally float for if implements import instanceof int interface long native new null package private protected public record return sealed short static super switch synchronized this throw throws true try var void volatile while yield fun val when object override data")],
  javascript: [C_COMMENT, `${QUOTED}|\`(?:\\\\[\\s\\S]|[^\`\\\\])*(?:\`|$)`, words("any as async await boolean break case catch class const continue default delete do else enum export extends false finally for from function if implements import in instanceof interface let new null number of return static string super switch this throw true try type typeof undefined var void while yield")],
  python: [HASH, `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|${QUOTED}`, words("and as assert async await break class continue def del elif else except False finally for from global if import in is lambda match None nonlocal not or pass raise return self True try while with yield")],
  go: [C_COMMENT, `${QUOTED}|\`[^\`]*(?:\`|$)`, words("bool break byte case chan const continue default defer else error fallthrough false float64 for func go goto if import int interface map nil package range return select string struct switch true type uint var")],
  rust: [C_COMMENT, String.raw`"(?:\\[\s\S]|[^"\\])*(?:"|$)|'(?:\\.|[^'\\\n])'`, words("as async await bool break const continue crate else enum extern f32 f64 false fn for i32 i64 if impl in let loop match mod move mut pub ref return self Self static struct super trait true type u8 u32 u64 unsafe use usize where while")],
  shell: [String.raw`(?<![\w$&])#[^\n]*`, String.raw`"(?:\\[\s\S]|[^"\\])*(?:"|$)|'[^']*(?:'|$)`, words("case do done elif else esac export fi for function if in local return set then while")],
  sql: [String.raw`--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`, String.raw`'(?:''|[^'])*(?:'|$)`, words("add all alter and as asc between by case create delete desc distinct drop else end exists from full group having in index inner insert into is join key left like limit not null on or order outer primary right select set table then union unique update values view when where with")],
  json: [String.raw`(?!)`, String.raw`"(?:\\[\s\S]|[^"\\\n])*(?:"|(?=\n)|$)`, words("true false null")],
  yaml: [HASH, QUOTED, words("true false null yes no on off")],
  css: [String.raw`\/\*[\s\S]*?(?:\*\/|$)`, QUOTED, words("important media import supports")],
  xml: [String.raw`<!--[\s\S]*?(?:-->|$)`, String.raw`"[^"]*(?:"|$)`, new Set()],
};

const NAMES = {
  "c++": "c", cpp: "c", h: "c", hpp: "c", cs: "c", csharp: "c", "c#": "c", objc: "c", swift: "java", kotlin: "java", kt: "java", scala: "java", dart: "java",
  js: "javascript", mjs: "javascript", jsx: "javascript", ts: "javascript", tsx: "javascript", typescript: "javascript", php: "javascript",
  py: "python", python3: "python", rb: "python", ruby: "python", golang: "go", rs: "rust", sh: "shell", bash: "shell", zsh: "shell", console: "shell",
  dockerfile: "shell", make: "shell", makefile: "shell", jsonc: "json", json5: "json", yml: "yaml", toml: "yaml", ini: "yaml", scss: "css", less: "css",
  html: "xml", svg: "xml", sqlite: "sql", postgresql: "sql", mysql: "sql",
};

const NUMBER = String.raw`(?<![\w.])(?:0[xX][\da-fA-F_]+|0[bB][01_]+|\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?)[fFlLuUn]*(?!\w)`;
const WORD = String.raw`[\p{L}_$][\p{L}\p{N}_$]*`;
const LONGEST = 30_000;
const RULES = new Map();

function rule(kind) {
  if (!RULES.has(kind)) {
    const [comment, string] = KINDS[kind];
    RULES.set(kind, new RegExp(`(${comment})|(${string})|(${NUMBER})|(${WORD})`, "gu"));
  }
  return RULES.get(kind);
}

/** The code in pieces of {kind, text}; kind is comment, string, number, keyword or plain. Together they are the code. */
export function highlight(code, language) {
  const name = language.toLowerCase();
  const kind = Object.hasOwn(KINDS, name) ? name : Object.hasOwn(NAMES, name) ? NAMES[name] : null;
  if (kind === null || code.length > LONGEST) return [{ kind: "plain", text: code }];
  const keywords = KINDS[kind][2];
  const out = [];
  const put = (as, text) => {
    if (text === "") return;
    if (out.at(-1)?.kind === as) out.at(-1).text += text;
    else out.push({ kind: as, text });
  };
  let from = 0;
  for (const match of code.matchAll(rule(kind))) {
    put("plain", code.slice(from, match.index));
    const [all, comment, string, number, word] = match;
    const known = word !== undefined && keywords.has(kind === "sql" ? word.toLowerCase() : word);
    put(comment ? "comment" : string ? "string" : number ? "number" : known ? "keyword" : "plain", all);
    from = match.index + all.length;
  }
  put("plain", code.slice(from));
  return out;
}
