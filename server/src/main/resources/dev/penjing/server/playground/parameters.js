// The panel of parameters, made from what the server says of them: names, ranges, defaults and descriptions are its own.
// A parameter is sent when the person has set it; until then its field is empty and shows the server's default.

import { h, icon } from "./dom.js";

// Above this many steps a slider cannot be aimed.
const SLIDER_RANGE = 1_000_000;

const EXAMPLE_SCHEMA = {
  type: "object",
  properties: { answer: { type: "string" } },
  required: ["answer"],
  additionalProperties: false,
};

const title = (name) => {
  const words = name.replaceAll("_", " ");
  return words.length > 1 ? words[0].toUpperCase() + words.slice(1) : words;
};

export class Parameters {
  #controls = new Map();
  #onChange;
  #list;
  #format;
  #shape = "";

  constructor(list, format, onChange) {
    this.#list = list;
    this.#format = new ResponseFormat(format, onChange);
    this.#onChange = onChange;
  }

  /** Takes the server's list; what has been set stays set. */
  show(definitions) {
    const shape = JSON.stringify(definitions);
    if (shape === this.#shape) return;
    this.#shape = shape;
    const kept = this.values();
    this.#controls.clear();
    this.#list.replaceChildren();
    for (const definition of definitions) {
      const control = make(definition, () => this.#onChange());
      if (!control) continue;
      this.#controls.set(definition.name, control);
      this.#list.append(control.element);
      if (definition.name in kept) control.set(kept[definition.name]);
    }
  }

  /** What has been set, by name. */
  values() {
    const values = {};
    for (const [name, control] of this.#controls) {
      const value = control.value();
      if (value !== undefined) values[name] = value;
    }
    return values;
  }

  /** The response format as it is sent, or undefined for text. Throws an Error with a message for the person. */
  format() {
    return this.#format.value();
  }

  count() {
    return Object.keys(this.values()).length + (this.#format.kind() === "text" ? 0 : 1);
  }

  reset() {
    for (const control of this.#controls.values()) control.set(undefined);
    this.#format.reset();
    this.#onChange();
  }

  /** Leads to the field that an error names; false if there is none. */
  focus(name) {
    if (name?.startsWith("response_format")) return this.#format.focus();
    const control = this.#controls.get(name?.split(/[.[]/)[0]);
    control?.focus();
    return Boolean(control);
  }
}

function make(definition, changed) {
  switch (definition.type) {
    case "number":
    case "integer":
      return numberControl(definition, changed);
    case "boolean":
      return choiceControl(definition, changed, [["true", true], ["false", false]]);
    case "string":
      return definition.values
        ? choiceControl(definition, changed, definition.values.map((value) => [value, value]))
        : textControl(definition, changed);
    case "strings":
      return stringsControl(definition, changed);
    default:
      return null; // a kind of a later server: the API has it, this page does not
  }
}

/** Label, reset button and description around a control's fields. */
function frame(definition, control, fields, field) {
  const id = `param-${definition.name}`;
  const reset = h("button", {
    type: "button", class: "param-reset", "data-testid": `${id}-reset`, hidden: true,
    "aria-label": `Back to the default of ${definition.name}`, title: "Back to the default",
    on: { click: () => { control.set(undefined); control.changed(); field.focus(); } },
  }, icon("again"));
  const label = h("label", { class: "field-label", for: id }, title(definition.name));
  const element = h("div", { class: "param", "data-parameter": definition.name },
    h("div", { class: "param-head" }, label, reset, fields.head),
    fields.body,
    definition.description ? h("p", { class: "hint", id: `${id}-hint`, text: definition.description }) : null);
  if (definition.description) field.setAttribute("aria-describedby", `${id}-hint`);
  control.mark = () => {
    const set = control.value() !== undefined;
    element.classList.toggle("set", set);
    reset.hidden = !set;
  };
  control.focus = () => field.focus();
  control.element = element;
  control.mark();
  return control;
}

function numberControl(definition, notify) {
  const { name, minimum, maximum, default: standard } = definition;
  const whole = definition.type === "integer";
  const low = Math.max(minimum ?? -Infinity, Number.MIN_SAFE_INTEGER);
  const high = Math.min(maximum ?? Infinity, Number.MAX_SAFE_INTEGER);
  const bounded = minimum !== undefined && maximum !== undefined && high - low <= SLIDER_RANGE;
  const step = definition.step ?? (whole ? 1 : high - low <= 10 ? 0.01 : 0.1);
  const id = `param-${name}`;
  let value;

  const number = h("input", {
    id, "data-testid": id, class: bounded ? "number" : "number wide", type: "number", inputmode: whole ? "numeric" : "decimal", step: whole ? 1 : "any",
    min: minimum, max: maximum, placeholder: definition.placeholder ?? standard ?? (name === "seed" ? "random" : "none"), autocomplete: "off",
  });
  const range = bounded
    ? h("input", { type: "range", class: "range", min: low, max: high, step, "data-testid": `${id}-range`, "aria-label": title(name) })
    : null;
  const parts = [number];
  if (name === "seed") {
    parts.push(h("button", {
      type: "button", class: "button quiet icon small", "data-testid": "param-seed-draw", "aria-label": "Draw a seed", title: "Draw a seed",
      on: { click: () => { control.set(Math.floor(Math.random() * Math.min(high, 2 ** 31 - 1))); control.changed(); } },
    }, icon("dice")));
  }

  const slide = () => {
    if (!range) return;
    range.value = String(value ?? standard ?? low);
    range.style.setProperty("--fill", `${(100 * (Number(range.value) - low)) / (high - low)}%`);
  };
  const control = {
    value: () => value,
    set(next) {
      // what was set for another model may be too much for this one
      value = next === undefined ? undefined : Math.min(high, Math.max(low, next));
      number.value = value === undefined ? "" : String(value);
      number.setCustomValidity("");
      slide();
      control.mark?.();
    },
    changed() {
      control.mark();
      notify();
    },
  };
  number.addEventListener("input", () => {
    const typed = number.valueAsNumber;
    value = Number.isFinite(typed) ? Math.min(high, Math.max(low, whole ? Math.trunc(typed) : typed)) : undefined;
    slide();
    control.changed();
  });
  // While somebody types, the field is left alone; afterwards it shows what is sent.
  number.addEventListener("change", () => control.set(value));
  range?.addEventListener("input", () => {
    control.set(range.valueAsNumber);
    control.changed();
  });
  control.set(undefined);
  return frame(definition, control, { head: h("span", { class: "param-fields" }, ...parts), body: range }, number);
}

function textControl(definition, notify) {
  const id = `param-${definition.name}`;
  const field = h("input", { id, "data-testid": id, type: "text", dir: "auto", placeholder: definition.default ?? "none", autocomplete: "off" });
  const control = {
    value: () => (field.value === "" ? undefined : field.value),
    set(next) {
      field.value = next ?? "";
      control.mark?.();
    },
    changed() {
      control.mark();
      notify();
    },
  };
  field.addEventListener("input", () => control.changed());
  return frame(definition, control, { head: null, body: field }, field);
}

function choiceControl(definition, notify, choices) {
  const id = `param-${definition.name}`;
  const standard = definition.default === undefined ? "not sent" : `default: ${definition.default}`;
  const field = h("select", { id, "data-testid": id },
    h("option", { value: "", text: standard }),
    ...choices.map(([label], index) => h("option", { value: String(index), text: label })));
  const control = {
    value: () => (field.value === "" ? undefined : choices[Number(field.value)][1]),
    set(next) {
      const index = choices.findIndex(([, value]) => value === next);
      field.value = index < 0 ? "" : String(index);
      control.mark?.();
    },
    changed() {
      control.mark();
      notify();
    },
  };
  field.addEventListener("change", () => control.changed());
  return frame(definition, control, { head: h("span", { class: "param-fields" }, field), body: null }, field);
}

const unescape = (text) => text.replace(/\\(n|t|\\)/g, (_, char) => ({ n: "\n", t: "\t", "\\": "\\" })[char]);
const escape = (text) => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll("\t", "\\t");

/** Some texts, such as stops: a field that adds one, and a chip for each. */
function stringsControl(definition, notify) {
  const id = `param-${definition.name}`;
  const most = definition.max_items ?? Infinity;
  let items = [];
  const field = h("input", { id, "data-testid": id, type: "text", dir: "auto", placeholder: "\\n is a new line", autocomplete: "off", spellcheck: "false" });
  const add = h("button", { type: "button", class: "button quiet small", "data-testid": `${id}-add`, text: "Add" });
  const chips = h("ul", { class: "chips", "aria-label": title(definition.name) });
  const draw = () => {
    chips.replaceChildren(...items.map((item, index) => h("li", {},
      h("span", { class: "chip-text", dir: "auto", text: escape(item) }),
      h("button", {
        type: "button", "aria-label": `Remove ${escape(item)}`,
        on: { click: () => { items = items.filter((_, at) => at !== index); draw(); control.changed(); field.focus(); } },
      }, icon("close")))));
    chips.hidden = !items.length;
    field.disabled = add.disabled = items.length >= most;
  };
  const control = {
    value: () => (items.length ? [...items] : undefined),
    set(next) {
      items = next ? [...next] : [];
      draw();
      control.mark?.();
    },
    changed() {
      control.mark();
      notify();
    },
  };
  const take = (stay) => {
    const text = unescape(field.value);
    if (text === "" || items.includes(text) || items.length >= most) return;
    items.push(text);
    field.value = "";
    draw();
    control.changed();
    if (stay && !field.disabled) field.focus();
  };
  add.addEventListener("click", () => take(true));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      take(true);
    }
  });
  // Somebody who types a text and then sends means it to hold.
  field.addEventListener("blur", (event) => { if (event.relatedTarget !== add) take(false); });
  draw();
  return frame(definition, control, { head: null, body: h("div", { class: "strings" }, h("div", { class: "row" }, field, add), chips) }, field);
}

/** Text, a JSON object, or JSON that fits a schema. */
class ResponseFormat {
  #radios;
  #schema;
  #problem;
  #area;

  constructor(parent, changed) {
    const kinds = [["text", "Text"], ["json_object", "JSON"], ["json_schema", "Schema"]];
    this.#radios = kinds.map(([value]) => h("input", {
      type: "radio", name: "response-format", value, "data-testid": `response-format-${value}`, checked: value === "text",
      on: { change: () => { this.#draw(); changed(); } },
    }));
    this.#schema = h("textarea", {
      id: "schema", "data-testid": "schema", rows: "9", spellcheck: "false", class: "mono", "aria-label": "JSON Schema", "aria-describedby": "schema-problem",
      on: { input: () => { this.#draw(); changed(); } },
    });
    this.#problem = h("p", { class: "hint problem", id: "schema-problem", role: "status" });
    this.#area = h("div", { hidden: true }, this.#schema, this.#problem);
    parent.append(h("fieldset", { class: "segments-group" },
      h("legend", { class: "field-label", text: "Response format" }),
      h("div", { class: "segments" }, ...kinds.map(([, label], index) => h("label", {}, this.#radios[index], h("span", { text: label })))),
      this.#area));
    this.reset();
  }

  kind() {
    return this.#radios.find((radio) => radio.checked).value;
  }

  value() {
    if (this.kind() === "text") return undefined;
    if (this.kind() === "json_object") return { type: "json_object" };
    return { type: "json_schema", json_schema: { name: "answer", strict: true, schema: this.#parse() } };
  }

  reset() {
    this.#radios.forEach((radio) => { radio.checked = radio.value === "text"; });
    this.#schema.value = JSON.stringify(EXAMPLE_SCHEMA, null, 2);
    this.#draw();
  }

  focus() {
    (this.kind() === "json_schema" ? this.#schema : this.#radios.find((radio) => radio.checked)).focus();
    return true;
  }

  #parse() {
    let schema;
    try {
      schema = JSON.parse(this.#schema.value);
    } catch (failure) {
      throw new Error(`The schema is not JSON: ${failure.message}`);
    }
    if (schema === null || typeof schema !== "object" || Array.isArray(schema)) throw new Error("The schema must be a JSON object.");
    return schema;
  }

  #draw() {
    this.#area.hidden = this.kind() !== "json_schema";
    let problem = "";
    if (!this.#area.hidden) {
      try {
        this.#parse();
      } catch (failure) {
        problem = failure.message;
      }
    }
    this.#problem.textContent = problem;
    this.#schema.setAttribute("aria-invalid", String(problem !== ""));
  }
}
