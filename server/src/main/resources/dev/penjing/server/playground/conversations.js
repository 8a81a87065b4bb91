// The list of conversations: keeps the one that is shown, opens others, searches, exports and deletes.

import { byId, h, icon } from "./dom.js";
import { all, current, modelsOf, put, remove, search, titleOf } from "./store.js";
import { download, fileName, json, markdown } from "./transcript.js";

export class Conversations {
  #id = current.get() ?? fresh();
  #branch = false;
  #last = "";
  #deleted = new Map();

  /** `page` shows conversations: saved() gives the columns as they are, show(conversation) replaces them, clear() empties them. */
  constructor(page) {
    this.page = page;
    this.dialog = byId("conversations");
    this.field = byId("conversations-search");
    this.list = byId("conversations-list");
    byId("conversations-open").addEventListener("click", () => this.open());
    byId("conversations-close").addEventListener("click", () => this.dialog.close());
    byId("conversations-new").addEventListener("click", () => { this.dialog.close(); this.begin(); });
    byId("conversations-export").addEventListener("click", () => download("conversations.json", json(this.#found()), "application/json"));
    this.field.addEventListener("input", () => this.#draw());
    this.dialog.addEventListener("close", () => this.#deleted.clear());
    current.set(this.#id);
  }

  /** What this tab showed before it was loaded anew, or null. */
  kept() {
    const found = all().find((one) => one.id === this.#id) ?? null;
    this.#branch = Boolean(found?.branch);
    return found;
  }

  /** The conversation that is shown, or null while nothing was asked. */
  snapshot() {
    const { comparing, columns } = this.page.saved();
    if (!columns.some((column) => column.turns.length)) return null;
    return { id: this.#id, updated: Date.now(), branch: this.#branch, comparing, columns };
  }

  /** Keeps what is shown, if it differs from what was kept last. */
  save() {
    const snapshot = this.snapshot();
    if (!snapshot) return;
    const shape = shapeOf(snapshot);
    this.#last ||= shapeOf(all().find((one) => one.id === this.#id) ?? {});
    if (shape === this.#last) return;
    this.#last = shape;
    put(snapshot);
  }

  /** Begins an empty conversation; the one before stays in the list. */
  begin() {
    this.save();
    this.#become(fresh());
    this.page.clear();
  }

  /** What follows is a conversation of its own; the one so far stays in the list as it is. */
  fork() {
    this.save();
    this.#become(fresh(), true);
  }

  /** Takes the conversation that is shown out of the list; gives what brings it back, or null if there is none. */
  forget() {
    const snapshot = this.snapshot();
    remove(this.#id);
    this.#become(fresh());
    return snapshot && (() => this.show(snapshot));
  }

  show(conversation) {
    this.save();
    this.#become(conversation.id, Boolean(conversation.branch));
    this.page.clear();
    this.page.show(conversation);
    this.save();
  }

  open() {
    this.save();
    this.field.value = "";
    this.#draw();
    if (!this.dialog.open) this.dialog.showModal();
    this.field.focus();
  }

  #become(id, branch = false) {
    this.#id = id;
    this.#branch = branch;
    this.#last = "";
    current.set(id);
  }

  #found() {
    return search(all(), this.field.value);
  }

  #draw() {
    const rows = [...this.#found(), ...this.#deleted.values()].sort((a, b) => b.updated - a.updated);
    this.list.replaceChildren(...rows.map((one) => (this.#deleted.has(one.id) ? this.#gone(one) : this.#row(one))));
    const empty = this.field.value.trim() ? "No conversation has these words." : "Nothing was asked yet.";
    byId("conversations-hint").textContent = rows.length ? "Kept in this browser alone. The oldest go when there is no more room." : empty;
    byId("conversations-export").disabled = !rows.length;
  }

  #row(one) {
    const title = titleOf(one);
    const tool = (testid, name, label, click) => h("button", { type: "button", class: "button quiet small", "data-testid": testid, "aria-label": `${label}: ${title}`, title: label, on: { click } }, icon(name), name === "download" ? testid.split("-").at(-1).toUpperCase() : null);
    const shown = one.id === this.#id;
    const facts = [modelsOf(one).join(", "), new Date(one.updated).toLocaleString(), one.branch ? "branch" : null].filter(Boolean).join(" · ");
    return h("li", { "data-testid": "conversation", "aria-current": shown ? "true" : null },
      h("button", { type: "button", class: "conversation-open", "data-testid": "conversation-open", on: { click: () => { this.dialog.close(); if (!shown) this.show(one); } } },
        h("span", { class: "conversation-title", dir: "auto", text: title }), h("span", { class: "hint", text: facts })),
      tool("export-md", "download", "Export as Markdown", () => download(fileName(title, "md"), markdown(one), "text/markdown")),
      tool("export-json", "download", "Export as JSON", () => download(fileName(title, "json"), json([one]), "application/json")),
      tool("conversation-delete", "reset", "Delete", () => this.#delete(one)));
  }

  #gone(one) {
    return h("li", { class: "gone" }, h("span", { class: "hint", text: `Deleted: ${titleOf(one)}` }),
      h("button", { type: "button", class: "button small", "data-testid": "conversation-undo", text: "Undo", on: { click: () => this.#bringBack(one) } }));
  }

  #delete(one) {
    this.#deleted.set(one.id, { ...one, shown: one.id === this.#id });
    if (one.id === this.#id) {
      this.forget();
      this.page.clear();
    } else remove(one.id);
    this.#draw();
    this.list.querySelector("[data-testid=conversation-undo]")?.focus();
  }

  #bringBack({ shown, ...one }) {
    this.#deleted.delete(one.id);
    if (shown && !this.snapshot()) this.show(one);
    else put(one);
    this.#draw();
  }
}

const shapeOf = (conversation) => JSON.stringify({ ...conversation, updated: 0 });

/** A name that no other conversation has. */
function fresh() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
