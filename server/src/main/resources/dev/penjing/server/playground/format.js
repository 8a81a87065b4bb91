// How figures are written.

const trim = (value, digits) => Number(value.toFixed(digits)).toString();

/** 2100000 as "2.1 M". */
export function count(value) {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1e9) return `${trim(value / 1e9, 2)} B`;
  if (value >= 1e6) return `${trim(value / 1e6, 2)} M`;
  if (value >= 1e4) return `${trim(value / 1e3, 1)} k`;
  return String(value);
}

/** Bytes, in decimal units. */
export function bytes(value) {
  if (!Number.isFinite(value)) return "–";
  if (value >= 1e9) return `${trim(value / 1e9, 2)} GB`;
  if (value >= 1e6) return `${trim(value / 1e6, 1)} MB`;
  if (value >= 1e3) return `${trim(value / 1e3, 1)} kB`;
  return `${value} B`;
}

/** Milliseconds as "42 ms" or "1.30 s". */
export function time(milliseconds) {
  if (!Number.isFinite(milliseconds)) return "–";
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 60000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${Math.floor(milliseconds / 60000)} min ${Math.round((milliseconds % 60000) / 1000)} s`;
}

/** Tokens a second. */
export function rate(value) {
  if (!Number.isFinite(value)) return "–";
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1);
}

/** How many times, with two digits that count. */
export const times = (value) => (value >= 10 ? String(Math.round(value)) : Number(value.toPrecision(2)).toString());

/** JSON with the usual line breaks, its numbers and strings left as they are written; other text as it is. */
export function indented(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const parts = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g);
  let depth = 0;
  return parts.map((part, index) => {
    const line = () => `\n${"  ".repeat(depth)}`;
    if (part === "{" || part === "[") {
      depth++;
      return "}]".includes(parts[index + 1]) ? part : part + line();
    }
    if (part === "}" || part === "]") {
      depth--;
      return "{[".includes(parts[index - 1]) ? part : line() + part;
    }
    return part === "," ? part + line() : part === ":" ? ": " : part;
  }).join("");
}
