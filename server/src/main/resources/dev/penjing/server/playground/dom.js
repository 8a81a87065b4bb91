// Small helpers that build the page from nodes. Text is always text, never markup.

/** Makes an element; `properties` are attributes, except `class`, `text`, `on` (listeners) and booleans. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") element.className = value;
    else if (name === "text") element.textContent = value;
    else if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the page's symbols. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Sets a text only where it differs, so that what somebody has marked in it stays marked. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const byId = (id) => document.getElementById(id);

let toastTimer = 0;

/** Says something in passing, to eyes and to screen readers; `undo` takes back what was done, while it is offered. */
export function toast(text, undo = null) {
  const box = byId("toast");
  const hide = () => {
    box.classList.remove("shown", "acting");
    box.textContent = "";
  };
  box.textContent = text;
  if (undo) box.append(h("button", { type: "button", "data-testid": "undo", text: "Undo", on: { click: () => { hide(); undo(); } } }));
  box.classList.add("shown");
  box.classList.toggle("acting", Boolean(undo));
  clearTimeout(toastTimer);
  toastTimer = setTimeout(hide, undo ? 12_000 : 2200);
}

/** Copies text, also where the clipboard's interface is missing (a page that is not on https or loopback). */
export async function copy(text, what) {
  let done = false;
  try {
    await navigator.clipboard.writeText(text);
    done = true;
  } catch {
    const focused = document.activeElement;
    const area = h("textarea", { class: "visually-hidden", readonly: true, "aria-hidden": "true", tabindex: "-1" });
    area.value = text;
    document.body.append(area);
    area.select();
    try {
      done = document.execCommand("copy");
    } finally {
      area.remove();
      focused?.focus?.();
    }
  }
  toast(done ? `${what} copied` : "The browser did not let the page copy: select the text and copy it yourself");
  return done;
}

/** Tabs of the pattern that WAI-ARIA describes: one stop for Tab, arrows move, the one in focus is chosen. */
export function tabs(buttons, choose) {
  const select = (chosen, focus) => {
    for (const button of buttons) {
      const is = button === chosen;
      button.setAttribute("aria-selected", String(is));
      button.tabIndex = is ? 0 : -1;
    }
    if (focus) chosen.focus();
    choose(chosen);
  };
  buttons.forEach((button, index) => {
    button.addEventListener("click", () => select(button, false));
    button.addEventListener("keydown", (event) => {
      const last = buttons.length - 1;
      const to = { ArrowRight: index === last ? 0 : index + 1, ArrowLeft: index === 0 ? last : index - 1, Home: 0, End: last }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      select(buttons[to], true);
    });
  });
  select(buttons[0], false);
  return (button) => select(button, false);
}
