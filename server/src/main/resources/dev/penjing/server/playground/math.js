// A useful part of LaTeX's formulas as MathML, in plain values: [tag, attributes, ...children]. A formula with anything
// that is not known here gives null, and is shown as it was written: half a formula would say something else.

const table = (text) => new Map(text.trim().split(/\s+/).map((pair) => pair.split("=")).map(([name, ...sign]) => [name, sign.join("=") || "="]));

const LETTERS = table(`alpha=α beta=β gamma=γ delta=δ epsilon=ϵ varepsilon=ε zeta=ζ eta=η theta=θ vartheta=ϑ iota=ι kappa=κ lambda=λ mu=μ nu=ν xi=ξ pi=π
  rho=ρ sigma=σ tau=τ upsilon=υ phi=ϕ varphi=φ chi=χ psi=ψ omega=ω Gamma=Γ Delta=Δ Theta=Θ Lambda=Λ Xi=Ξ Pi=Π Sigma=Σ Phi=Φ Psi=Ψ Omega=Ω
  infty=∞ partial=∂ nabla=∇ hbar=ℏ ell=ℓ emptyset=∅ varnothing=∅ Re=ℜ Im=ℑ aleph=ℵ ldots=… dots=… cdots=⋯ vdots=⋮ ddots=⋱ degree=° angle=∠ prime=′ top=⊤ bot=⊥`);
const SIGNS = table(`times=× cdot=⋅ div=÷ pm=± mp=∓ ast=∗ star=⋆ circ=∘ bullet=• le=≤ leq=≤ ge=≥ geq=≥ ne=≠ neq=≠ approx=≈ equiv=≡ sim=∼ simeq=≃ cong=≅ propto=∝ ll=≪ gg=≫
  in=∈ notin=∉ ni=∋ subset=⊂ subseteq=⊆ supset=⊃ supseteq=⊇ cup=∪ cap=∩ setminus=∖ forall=∀ exists=∃ neg=¬ lnot=¬ land=∧ wedge=∧ lor=∨ vee=∨ oplus=⊕ otimes=⊗ odot=⊙ perp=⊥
  parallel=∥ mid=∣ to=→ rightarrow=→ leftarrow=← leftrightarrow=↔ Rightarrow=⇒ implies=⟹ Leftarrow=⇐ Leftrightarrow=⇔ iff=⟺ mapsto=↦ uparrow=↑ downarrow=↓ therefore=∴ because=∵ colon=: lt=< gt=>
  langle=⟨ rangle=⟩ lfloor=⌊ rfloor=⌋ lceil=⌈ rceil=⌉ lvert=| rvert=| vert=| lVert=‖ rVert=‖ Vert=‖ lbrace={ rbrace=} models=⊨ vdash=⊢`);
const LARGE = table("sum=∑ prod=∏ coprod=∐ int=∫ iint=∬ iiint=∭ oint=∮ bigcup=⋃ bigcap=⋂ bigoplus=⨁ bigotimes=⨂");
const NAMED = new Set("sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh exp log ln lg det dim ker gcd deg arg Pr lim max min sup inf argmax argmin limsup liminf".split(" "));
const BELOW = new Set("lim max min sup inf argmax argmin limsup liminf Pr det gcd".split(" "));
const ACCENTS = table("hat=^ widehat=^ bar=¯ overline=¯ vec=→ dot=˙ ddot=¨ tilde=~ widetilde=~");
const SPACES = new Map([[",", "0.17em"], [":", "0.22em"], [";", "0.28em"], [" ", "0.28em"], ["!", "-0.17em"], ["quad", "1em"], ["qquad", "2em"]]);
const FONTS = new Map([["mathrm", "normal"], ["mathbf", "bold"], ["boldsymbol", "bold"], ["bm", "bold"], ["mathbb", "double"], ["mathcal", "script"], ["mathit", "normal-italic"], ["operatorname", "normal"]]);
const FENCES = new Map([["matrix", ["", ""]], ["smallmatrix", ["", ""]], ["pmatrix", ["(", ")"]], ["bmatrix", ["[", "]"]], ["Bmatrix", ["{", "}"]], ["vmatrix", ["|", "|"]], ["Vmatrix", ["‖", "‖"]],
  ["cases", ["{", ""]], ["aligned", ["", ""]], ["align", ["", ""]], ["align*", ["", ""]], ["gathered", ["", ""]], ["gather*", ["", ""]], ["equation", ["", ""]], ["equation*", ["", ""]], ["split", ["", ""]]]);
const TOKEN = /\\(?:text(?:rm|bf|it)?|mbox)\{[^{}$]*\}|\s+|%[^\n]*|\\[a-zA-Z]+\*?|\\[\s\S]|\d+(?:\.\d+)?|[\s\S]/gu;
const LONGEST = 4000;
const DEPTH = 40;

class Unknown extends Error {}

/** The formula as MathML, or null where it holds what is not known here. */
export function mathml(text, display = false) {
  if (text.length > LONGEST) return null;
  const tokens = (text.match(TOKEN) ?? []).filter((token) => !/^\s|^%/.test(token));
  try {
    const reader = new Reader(tokens);
    const row = reader.row(() => reader.peek() === undefined);
    return row.length > 2 ? ["math", display ? { display: "block" } : {}, row] : null;
  } catch (failure) {
    if (failure instanceof Unknown) return null;
    throw failure;
  }
}

const op = (sign, attributes = {}) => ["mo", attributes, sign];
const isLarge = (node) => (node[0] === "mo" && node[1].movablelimits === "true") || node[1].below === "true";

class Reader {
  #at = 0;
  #depth = 0;

  constructor(tokens) {
    this.tokens = tokens;
  }

  peek() {
    return this.tokens[this.#at];
  }

  next() {
    const token = this.tokens[this.#at++];
    if (token === undefined) throw new Unknown("the formula ends too early");
    return token;
  }

  expect(token) {
    if (this.next() !== token) throw new Unknown(`${token} is missing`);
  }

  row(ends) {
    if (++this.#depth > DEPTH) throw new Unknown("too deep");
    const row = ["mrow", {}];
    while (!ends()) row.push(this.scripted());
    this.#depth--;
    return row;
  }

  group() {
    this.expect("{");
    const row = this.row(() => this.peek() === "}");
    this.next();
    return row;
  }

  /** What a command takes: a group, or one sign. */
  argument() {
    return this.peek() === "{" ? this.group() : this.atom();
  }

  /** The letters of a group, as they stand. */
  words() {
    this.expect("{");
    let text = "";
    while (this.peek() !== "}") text += this.next();
    this.next();
    return text;
  }

  scripted() {
    const base = "^_".includes(this.peek() ?? "?") ? ["mrow", {}] : this.atom();
    let below;
    let above;
    for (;;) {
      const token = this.peek();
      if (token === "_" && below === undefined) below = (this.next(), this.argument());
      else if (token === "^" && above === undefined) above = (this.next(), this.argument());
      else if (token === "'" && above === undefined) above = this.primes();
      else break;
    }
    if ("^_".includes(this.peek() ?? "?")) throw new Unknown("two exponents");
    const under = isLarge(base);
    if (below && above) return [under ? "munderover" : "msubsup", {}, base, below, above];
    if (below) return [under ? "munder" : "msub", {}, base, below];
    return above ? [under ? "mover" : "msup", {}, base, above] : base;
  }

  primes() {
    let text = "";
    while (this.peek() === "'") text += this.next() && "′";
    return op(text);
  }

  atom() {
    const token = this.peek();
    if (token === "{") return this.group();
    this.next();
    const words = /^\\(?:text|mbox)[a-z]*\{(.*)\}$/s.exec(token);
    if (words) return ["mtext", {}, words[1].replace(/\s+/g, "\u00a0")];
    if (/^\d/.test(token)) return ["mn", {}, token];
    if (/^\p{L}$/u.test(token)) return ["mi", {}, token];
    if (token === "-") return op("−");
    if (token === "~") return ["mspace", { width: "0.28em" }];
    if (/^[+*/=<>|!,.:;?()[\]]$/.test(token)) return op(token, /[|()[\]/]/.test(token) ? { stretchy: "false" } : {});
    if (token[0] === "\\") return this.command(token.slice(1));
    throw new Unknown(token);
  }

  command(name) {
    if (LETTERS.has(name)) return ["mi", {}, LETTERS.get(name)];
    if (SIGNS.has(name)) return op(SIGNS.get(name), { stretchy: "false" });
    if (LARGE.has(name)) return op(LARGE.get(name), { largeop: "true", movablelimits: name.includes("int") ? "false" : "true" });
    if (NAMED.has(name)) return ["mi", BELOW.has(name) ? { below: "true" } : {}, name];
    if (SPACES.has(name)) return ["mspace", { width: SPACES.get(name) }];
    if (ACCENTS.has(name)) return ["mover", { accent: "true" }, this.argument(), op(ACCENTS.get(name), { stretchy: String(/over|wide/.test(name)) })];
    if (FONTS.has(name)) return this.font(FONTS.get(name));
    if (/^[{}%$#&_|]$/.test(name)) return op(name === "|" ? "‖" : name, { stretchy: "false" });
    switch (name) {
      case "frac": case "dfrac": case "tfrac":
        return ["mfrac", {}, this.argument(), this.argument()];
      case "binom":
        return ["mrow", {}, op("("), ["mfrac", { linethickness: "0" }, this.argument(), this.argument()], op(")")];
      case "sqrt":
        return this.root();
      case "underline":
        return ["munder", {}, this.argument(), op("_", { stretchy: "true" })];
      case "boxed":
        return ["mrow", { class: "boxed" }, this.argument()];
      case "left":
        return this.fenced();
      case "begin":
        return this.environment(this.words());
      case "displaystyle": case "limits": case "nonumber": case "big": case "Big": case "bigl": case "bigr": case "Bigl": case "Bigr":
        return ["mrow", {}];
      default:
        throw new Unknown(name);
    }
  }

  root() {
    if (this.peek() !== "[") return ["msqrt", {}, this.argument()];
    this.next();
    const degree = this.row(() => this.peek() === "]");
    this.next();
    return ["mroot", {}, this.argument(), degree];
  }

  font(kind) {
    const text = this.peek() === "{" ? this.words() : this.next();
    if (!/^[\p{L}\p{N}]+$/u.test(text)) throw new Unknown(text);
    const letters = kind === "double" || kind === "script" ? [...text].map((letter) => styled(letter, kind)).join("") : text;
    return ["mi", { mathvariant: "normal", class: kind === "bold" ? "bold" : null }, letters];
  }

  delimiter() {
    const token = this.next();
    if (token === ".") return "";
    if (/^[()[\]|/<>]$/.test(token)) return token;
    const name = token.slice(1);
    if (SIGNS.has(name)) return SIGNS.get(name);
    if (/^[{}|]$/.test(name)) return name === "|" ? "‖" : name;
    throw new Unknown(token);
  }

  fenced() {
    const open = this.delimiter();
    const row = this.row(() => this.peek() === "\\right");
    this.next();
    return ["mrow", {}, op(open, { stretchy: "true" }), row, op(this.delimiter(), { stretchy: "true" })];
  }

  environment(name) {
    const fences = FENCES.get(name);
    if (!fences) throw new Unknown(name);
    const rows = [["mtr", {}]];
    const ends = () => ["&", "\\\\", "\\end"].includes(this.peek());
    for (;;) {
      rows.at(-1).push(["mtd", {}, this.row(ends)]);
      const token = this.next();
      if (token === "\\end") break;
      if (token === "\\\\" && this.peek() !== "\\end") rows.push(["mtr", {}]);
    }
    if (this.words() !== name) throw new Unknown("another end");
    const align = name === "cases" ? "left" : /^align|split/.test(name) ? "aligned" : null;
    const body = ["mtable", { class: align, displaystyle: align === "aligned" ? "true" : null }, ...rows];
    return ["mrow", {}, ...(fences[0] ? [op(fences[0], { stretchy: "true" })] : []), body, ...(fences[1] ? [op(fences[1], { stretchy: "true" })] : [])];
  }
}

const DOUBLE = table("C=ℂ H=ℍ N=ℕ P=ℙ Q=ℚ R=ℝ Z=ℤ");
const SCRIPT = table("B=ℬ E=ℰ F=ℱ H=ℋ I=ℐ L=ℒ M=ℳ R=ℛ");

/** A capital of another alphabet; the common ones have had places of their own for longer. */
function styled(letter, kind) {
  const exceptions = kind === "double" ? DOUBLE : SCRIPT;
  if (exceptions.has(letter)) return exceptions.get(letter);
  if (!/^[A-Z]$/.test(letter)) throw new Unknown(letter);
  return String.fromCodePoint((kind === "double" ? 0x1d538 : 0x1d49c) + letter.charCodeAt(0) - 65);
}
