// Calls every public method of the TypeScript SDK's client as `calls.py` says (exported to JSON), and looks at what comes
// back. A method that the list does not call fails the judge: methods are found by looking at the class.

// In TypeScript these are private; `sync_ack` needs a cursor, which the list has not got: `sdk_node.mjs` calls it.
const PRIVATE = ["constructor", "get", "post", "put", "patch", "del", "toRequestOpts"];
const ELSEWHERE = ["syncAck"];
const RELEASE = "typescript";

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

function filled(value, known) {
  if (typeof value === "string") return value.replace(/\$(\w+)/g, (_, name) => known[name] ?? missing(name));
  if (Array.isArray(value)) return value.map((item) => filled(item, known));
  if (value === null || typeof value !== "object") return value;
  if ("<base64>" in value) return Buffer.from(value["<base64>"], "base64");
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, filled(member, known)]));
}

function missing(name) {
  throw new Error(`$${name} is not known`);
}

const at = (value, path) => path.split(".").reduce((inner, part) => inner[part], value);

const TYPES = {
  str: (value) => typeof value === "string",
  int: (value) => Number.isInteger(value),
  list: Array.isArray,
  dict: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  object: () => true,
};

/** What does not fit a pattern, or nothing. */
function misfits(pattern, value, path = "answer") {
  const told = `${path}: ${JSON.stringify(value)}, not ${JSON.stringify(pattern)}`;
  if (pattern === null || typeof pattern !== "object") return (value ?? null) === pattern ? null : told;
  if ("<type>" in pattern) return TYPES[pattern["<type>"]](value) ? null : told;
  if ("<any>" in pattern) return pattern["<any>"].some((one) => !misfits(one, value, path)) ? null : told;
  if (Array.isArray(pattern)) {
    if (!Array.isArray(value) || value.length !== pattern.length) return told;
    return pattern.map((item, i) => misfits(item, value[i], `${path}[${i}]`)).find(Boolean);
  }
  if (value === null || typeof value !== "object") return told;
  return Object.entries(pattern)
    .map(([name, member]) => {
      const inner = `${path}.${name}`;
      return name in value ? misfits(member, value[name], inner) : `${inner}: missing`;
    })
    .find(Boolean);
}

export class Caller {
  constructor({ sdk, base, names, keys, steps, fail }) {
    Object.assign(this, { Client: sdk.AgentChatClient, base, keys, steps, fail });
    this.known = { ...names };
    this.clients = { me: this.client(keys.me) };
    this.called = new Set();
  }

  client(apiKey) {
    const retry = { maxRetries: 0, baseDelayMs: 1, maxDelayMs: 1 };
    return new this.Client({ apiKey, baseUrl: this.base, retry });
  }

  async run() {
    for (const step of this.steps) {
      if (step.releases && !step.releases.includes(RELEASE)) continue;
      const answer = step.sdk ? await this.call(step) : await this.beside(step);
      for (const [name, place] of Object.entries(step.keeps)) this.known[name] = at(answer, place);
    }
    const own = Object.getOwnPropertyNames(this.Client.prototype);
    const of_class = Object.getOwnPropertyNames(this.Client).filter((name) => typeof this.Client[name] === "function");
    const skipped = [...PRIVATE, ...ELSEWHERE, ...this.called];
    const missed = [...own, ...of_class].filter((name) => !skipped.includes(name));
    if (missed.length > 0) this.fail(`never called: ${missed.join(", ")}`);
  }

  async call(step) {
    const name = camel(step.sdk);
    const holder = step.who === null ? this.Client : this.clients[step.who];
    let answer = await settled(holder[name](...this.parameters(step)));
    this.called.add(name);
    if (step.sdk === "verify" || step.sdk === "recover_verify") {
      this.clients.new = answer.client;
      answer = { ...answer, api_key: answer.apiKey };
    }
    if (step.sdk === "rotate_key_verify") this.clients.new = this.client(answer.api_key);
    const problem = misfits(filled(step.wants, this.known), answer);
    if (problem) this.fail(`${name}: ${problem}`);
    return answer;
  }

  /** Named parameters go into one object; in the bodies of requests they keep their names. */
  parameters(step) {
    if (step.sdk === "send_message") return [filled(step.params, this.known)];
    const named = filled(step.named, this.known);
    if (step.sdk === "register") return [{ ...named, baseUrl: this.base }];
    const options = Object.fromEntries(Object.entries(named).map(([name, value]) => [camel(name), value]));
    if (step.who === null) options.baseUrl = this.base;
    const own = filled(step.args, this.known);
    return Object.keys(options).length > 0 ? [...own, options] : own;
  }

  async beside(step) {
    const path = filled(step.path, this.known);
    const body = filled(step.body, this.known);
    const raw = Buffer.isBuffer(body);
    const headers = { "content-type": raw ? "text/plain" : "application/json" };
    if (step.who) headers.authorization = `Bearer ${this.keys[step.who]}`;
    const url = path.startsWith("http") ? path : this.base + path;
    const answer = await fetch(url, { method: step.method, headers, body: raw ? body : JSON.stringify(body ?? {}) });
    const text = await answer.text();
    if (!answer.ok) this.fail(`${step.method} ${path}: ${answer.status} ${text}`);
    return /^[{[]/.test(text) ? JSON.parse(text) : null;
  }
}

/** What an answer comes to: awaited, or gathered. */
async function settled(answer) {
  if (answer?.[Symbol.asyncIterator] === undefined) return answer;
  const items = [];
  for await (const item of answer) items.push(item);
  return items;
}
