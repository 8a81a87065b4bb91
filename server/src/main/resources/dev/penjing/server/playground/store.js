// Conversations in the browser's own storage, newest first, within bounds. They never leave the browser.

const KEY = "penjing.conversations";
const CURRENT = "penjing.conversation";
const MOST = 50;
// Characters of JSON: browsers give a site about five million.
const ROOM = 2_000_000;

/** The newest conversations that have room; the first one always stays. */
export function bounded(list, room = ROOM, most = MOST) {
  let used = 0;
  return list.slice(0, most).filter((conversation, index) => {
    used += JSON.stringify(conversation).length;
    return index === 0 || used <= room;
  });
}

const asked = (turn) => typeof turn?.question === "string" && typeof turn.settings === "object" && turn.settings !== null
  && Array.isArray(turn.choices) && turn.choices.every((choice) => typeof choice?.text === "string");
const shaped = (one) => typeof one?.id === "string" && Number.isFinite(one.updated)
  && Array.isArray(one.columns) && one.columns.every((column) => Array.isArray(column?.turns) && column.turns.every(asked));

/** All conversations; none where storage is closed or holds something else. */
export function all() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter(shaped) : [];
  } catch {
    return [];
  }
}

function write(list) {
  let kept = bounded(list);
  for (;;) {
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
      return true;
    } catch {
      // No room, or storage is closed: the older half goes, and at last nothing is kept.
      if (kept.length < 2) return false;
      kept = kept.slice(0, Math.ceil(kept.length / 2));
    }
  }
}

/** Keeps a conversation in place of what had its id; other tabs' conversations stay as they are. */
export const put = (conversation) => write([conversation, ...all().filter((one) => one.id !== conversation.id)]
  .sort((a, b) => b.updated - a.updated));

export const remove = (id) => write(all().filter((one) => one.id !== id));

/** The conversation that this tab shows, also after it was loaded anew. */
export const current = {
  get() {
    try {
      return sessionStorage.getItem(CURRENT);
    } catch {
      return null;
    }
  },
  set(id) {
    try {
      sessionStorage.setItem(CURRENT, id);
    } catch {
      // Storage is closed to this page: the conversation holds until it is left.
    }
  },
};

/** What a conversation is called: its first question. */
export function titleOf(conversation) {
  const question = conversation.columns.flatMap((column) => column.turns)[0]?.question ?? "";
  const line = question.replace(/\s+/g, " ").trim();
  return line.length > 80 ? `${line.slice(0, 79)}…` : line || "Without a question";
}

export const modelsOf = (conversation) => [...new Set(conversation.columns.map((column) => column.model))];

/** The conversations in which every word stands somewhere, in a question, an answer or a model's name. */
export function search(list, words) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return list.filter((conversation) => {
    const text = conversation.columns.flatMap(({ model, turns }) => [model, ...turns.flatMap((turn) => [turn.question, ...turn.choices.map((choice) => choice.text)])]).join("\n").toLowerCase();
    return wanted.every((word) => text.includes(word));
  });
}
