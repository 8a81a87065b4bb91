// The frame of the page: the settings, which are a drawer on small screens, and the theme.

import { byId } from "./dom.js";

/** The panel stands beside the columns on wide screens and covers them on narrow ones. */
export function setUpPanel() {
  const panel = byId("panel");
  const toggle = byId("panel-toggle");
  const backdrop = byId("backdrop");
  const narrow = matchMedia("(max-width: 1023px)");
  let open = !narrow.matches;

  const draw = () => {
    document.documentElement.dataset.panel = open ? "open" : "closed";
    toggle.setAttribute("aria-expanded", String(open));
    panel.inert = !open;
    const covering = open && narrow.matches;
    backdrop.hidden = !covering;
    byId("main").inert = covering;
    byId("top").inert = covering;
    if (covering) {
      panel.setAttribute("role", "dialog");
      panel.setAttribute("aria-modal", "true");
    } else {
      panel.removeAttribute("role");
      panel.removeAttribute("aria-modal");
    }
  };
  const set = (next) => {
    if (next === open) return;
    open = next;
    const inside = panel.contains(document.activeElement);
    draw();
    if (open && narrow.matches) panel.focus();
    if (!open && inside) toggle.focus();
  };

  toggle.addEventListener("click", () => set(!open));
  byId("panel-close").addEventListener("click", () => set(false));
  backdrop.addEventListener("click", () => set(false));
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && narrow.matches) {
      event.stopPropagation();
      set(false);
    }
  });
  narrow.addEventListener("change", () => {
    open = !narrow.matches;
    draw();
  });
  draw();
  return { open: () => set(true), covers: () => open && narrow.matches };
}

const THEMES = ["auto", "light", "dark"];
const NAMES = { auto: "as the system", light: "light", dark: "dark" };

export function setUpTheme() {
  const button = byId("theme");
  const root = document.documentElement;
  const draw = () => {
    const theme = root.dataset.theme ?? "auto";
    const text = `Colours: ${NAMES[theme]}`;
    button.setAttribute("aria-label", text);
    button.title = text;
  };
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      if (next === "auto") localStorage.removeItem("penjing.theme");
      else localStorage.setItem("penjing.theme", next);
    } catch {
      // Storage is closed to this page: the choice holds until it is left.
    }
    draw();
  });
  draw();
}
