// The keyboard: what each key does, and the list of it that the page shows.

import { byId, h } from "./dom.js";

const MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const names = { Mod: MAC ? "⌘" : "Ctrl", Alt: MAC ? "⌥" : "Alt" };

/** Keys that the prompt itself knows, for the list. */
const IN_PROMPT = [
  [["Enter"], "Send the prompt"],
  [["Shift", "Enter"], "New line"],
  [["↑"], "Change the last question, while the prompt is empty"],
];

/** `actions` by name, see below; the list says what is there. */
export function setUpShortcuts(actions) {
  const dialog = byId("shortcuts");
  const show = () => { if (!dialog.open) dialog.showModal(); };
  // [keys, what it does, code or key of the event, action, whether it also holds in a field]
  const keys = [
    [["Esc"], "Stop the answer", null, null],
    [["/"], "Go to the prompt", "/", actions.focusPrompt],
    [["Mod", "K"], "Conversations: search, open, export", "KeyK", actions.conversations],
    [["Alt", "N"], "New conversation", "KeyN", actions.begin],
    [["Alt", "R"], "Answer again", "KeyR", actions.again],
    [["Alt", "C"], "Continue the answer that was stopped", "KeyC", actions.resume],
    [["Alt", "Y"], "Copy the last answer", "KeyY", actions.copy],
    [["Alt", "S"], "Show or hide the settings", "KeyS", actions.settings],
    [["?"], "This list", "?", show],
  ];
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const typing = event.target.closest?.("input, textarea, select");
    const held = { Mod: MAC ? event.metaKey : event.ctrlKey, Alt: event.altKey };
    const other = MAC ? event.ctrlKey : event.metaKey;
    for (const [[first, second], , code, action] of keys) {
      if (!action) continue;
      const hit = second
        ? held[first] && event.code === code && !other && !event.shiftKey && held.Mod !== held.Alt
        : event.key === code && !typing && !held.Mod && !held.Alt && !other;
      if (!hit) continue;
      event.preventDefault();
      action();
      return;
    }
  });
  byId("shortcuts-list").append(...[...IN_PROMPT, ...keys].map(([parts, text]) => h("div", {},
    h("dt", {}, ...parts.flatMap((part, index) => [index ? " + " : null, h("kbd", { text: names[part] ?? part })])), h("dd", { text }))));
  byId("shortcuts-open").addEventListener("click", show);
  byId("shortcuts-close").addEventListener("click", () => dialog.close());
}
