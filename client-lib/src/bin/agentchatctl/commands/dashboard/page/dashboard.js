// The page's script. Everything that is shown goes in as text (`textContent`); the policy of the page
// lets nothing be turned into markup. It asks for the state once a second and sends nothing.
"use strict";

const OFTEN_MS = 1000;
const HIDDEN_MS = 10000;
const PATIENCE_MS = 10000;
const HEARD_MS = 5000;
// After so long without an answer it is over. Another program may come to the port then, and is asked for nothing.
const GIVE_UP_MS = 30000;
// A lag is counted to here.
const MOST_LAG = 100000;

const $ = (id) => document.getElementById(id);
let paused = false;
let timer = 0;
let last = null; // the newest state, and when it came
let lost = null; // why none comes
let silent = 0; // since when, where nobody answers
let over = false;
let drawn = {}; // what each part was drawn from

// -- pieces -----------------------------------------------------------------

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== "") made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

// A name that somebody chose: it turns the direction of nothing around it.
const name = (text, kind) => element("bdi", { class: kind }, text ?? "–");

function say(id, text) {
  if ($(id).textContent !== text) $(id).textContent = text;
}

// A sentence of a program, in which backticks mark what can be typed.
const marked = (text) => text.split("`").map((piece, at) => (at % 2 ? element("code", {}, piece) : piece));

// Draws a part anew only where what it shows has changed: a selection and a reader's place stay.
function part(id, state, draw) {
  // What is of today is shown without its day.
  const key = new Date().toDateString() + JSON.stringify(state);
  if (drawn[id] === key) return;
  drawn[id] = key;
  $(id).replaceChildren(...draw(state));
}

function field(label, value, tone) {
  if (value === null || value === undefined || value === "") return [];
  return [element("dt", {}, label), element("dd", { class: tone }, value)];
}

const many = (number, word) => `${whole(number)} ${word}${number === 1 ? "" : "s"}`;
const whole = (number) => (typeof number === "number" ? number.toLocaleString("en-US") : "–");

function bytes(number) {
  if (typeof number !== "number") return "–";
  const units = ["bytes", "KiB", "MiB", "GiB"];
  let at = 0;
  for (; number >= 1024 && at < units.length - 1; at += 1) number /= 1024;
  return `${at ? number.toFixed(1) : number} ${units[at]}`;
}

function span(ms) {
  if (typeof ms !== "number" || Number.isNaN(ms)) return "–";
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d`;
}

function clock(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? "–" : time.toLocaleTimeString("en-GB");
}

// The time of day, and of another day than today that one, too.
function when(text) {
  if (!text || Number.isNaN(Date.parse(text))) return "–";
  const time = new Date(text);
  const today = time.toDateString() === new Date().toDateString();
  return (today ? "" : `${time.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, `) + clock(text);
}

const moment = (text, kind) => (text ? element("time", { datetime: text, title: text, class: kind }, when(text)) : "–");

// -- parts ------------------------------------------------------------------

const VERDICTS = {
  ok: ["ok", "Messages get through"],
  starting: ["quiet", "Starting"],
  degraded: ["warn", "Degraded"],
  parked: ["bad", "Parked"],
  down: ["bad", "Down"],
};

// The one place that says how things stand; and where nobody knows, it says that.
function verdict(state) {
  const health = state?.health;
  let [tone, title] = VERDICTS[health?.verdict] ?? ["bad", health?.verdict ?? "Asking the daemon…"];
  let more = health ? `Since ${when(health.since)}` : "";
  let reasons = health?.reasons ?? [];
  if (!health) tone = "quiet";
  if (state?.away) {
    [tone, title, reasons] = ["bad", "The daemon does not answer", []];
    more = `${sentence(state.away.sentence)} Since ${when(state.away.since)}; it is looked for all the time.`;
    if (state.status) more += " What stands below is from before.";
  }
  if (lost) {
    [tone, title, reasons] = ["bad", lost.title, []];
    more = lost.more;
    if (last) more += ` What stands below is from ${when(last.state.at)}.`;
  }
  $("verdict").dataset.tone = tone;
  say("verdict-title", title);
  part("verdict-more", more, marked);
  part("reasons", reasons, () =>
    reasons.map((reason) => element("li", {}, element("code", { class: "code" }, reason.code ?? "–"), element("bdi", {}, ...marked(reason.message ?? "–")))),
  );
  const agent = state?.status?.agent?.handle;
  document.title = `${title}${agent ? ` · @${agent}` : ""} – agentchatd`;
  document.body.classList.toggle("stale", Boolean(state?.away || lost));
}

function sentence(text) {
  const clean = (text ?? "").trim();
  return clean ? `${clean[0].toUpperCase()}${clean.slice(1)}.` : "";
}

function bars(id, label, rates, values) {
  const most = Math.max(1, ...values);
  const total = values.reduce((sum, value) => sum + value, 0);
  const minutes = span(values.length * rates.bar_ms);
  $(id).setAttribute("aria-label", `${label} in the last ${minutes}: ${total}`);
  part(id, values, () => {
    const first = rates.bars - values.length;
    const rect = (x, height, kind) => {
      const made = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const box = { x: x + 0.12, y: 16 - height, width: 0.76, height, class: kind };
      for (const [key, value] of Object.entries(box)) made.setAttribute(key, value);
      return made;
    };
    const drawn = [];
    for (let x = 0; x < rates.bars; x += 1) {
      const value = values[x - first] ?? 0;
      drawn.push(value ? rect(x, Math.max(1.5, (value / most) * 16), "bar") : rect(x, 0.7, "base"));
    }
    return drawn;
  });
}

function tiles(state) {
  const rates = state.rates;
  for (const [id, label] of [["received", "Received"], ["sent", "Sent"]]) {
    say(id, rates ? whole(rates[id]) : "–");
    const time = rates?.span_ms < 60000 ? span(rates.span_ms) : "minute";
    say(`${id}-span`, rates?.span_ms >= 1000 ? `in the last ${time}` : "counted from now on");
    if (rates) bars(`${id}-bars`, label, rates, rates[`${id}_bars`]);
  }
  const outbox = state.status?.outbox;
  say("waiting", outbox ? whole(outbox.queued + outbox.in_flight) : "–");
  const oldest = state.health?.send?.oldest_queued_age_ms;
  const counts = state.outbox.counts;
  const failed = (counts?.failed ?? outbox?.failed ?? 0) + (counts?.unknown ?? 0) + (counts?.expired ?? 0);
  say("waiting-more", failed ? `${whole(failed)} not sent` : typeof oldest === "number" ? `the oldest for ${span(oldest)}` : "nothing failed");
  $("waiting-tile").dataset.tone = failed ? "bad" : "quiet";
  const order = state.status?.ordering;
  say("gaps", order ? whole(order.gaps_open) : "–");
  const given = order?.gaps_failed ?? 0;
  say("gaps-more", order ? (given ? `${whole(given)} given up` : `${whole(order.gaps_recovered)} filled since the start`) : "");
  $("gaps-tile").dataset.tone = given ? "bad" : order?.gaps_open ? "warn" : "quiet";
}

function connection(state) {
  const { connection: now, sync, platform } = state.status ?? {};
  const tone = now?.state === "ready" ? "good" : ["parked", "stopped"].includes(now?.state) ? "grave" : "poor";
  const receive = state.health?.receive ?? {};
  const seen = [now, sync?.last_drain_at, receive.last_frame_at, platform];
  part("connection", seen, () => [
    ...field("State", now?.state, tone),
    ...field("Reason", now?.reason && name(now.reason)),
    ...field("Since", moment(now?.since)),
    ...field("Last heard", moment(receive.last_frame_at)),
    ...field("Last sync", moment(sync?.last_drain_at)),
    ...field("Connects", whole(now?.connected_total)),
    ...(now?.last_close ? field("Last close", name(`${now.last_close.code ?? ""} ${now.last_close.reason ?? ""}`.trim())) : []),
    ...field("Platform", name(platform?.base_url, "mono")),
  ]);
}

function consumers(state) {
  const list = state.consumers ?? [];
  $("consumers").hidden = list.length === 0;
  const body = $("consumers").tBodies[0];
  body.id = "consumers-rows";
  part("consumers-rows", list, () =>
    list.map((consumer) =>
      element("tr", {},
        element("td", {}, name(consumer.name)),
        element("td", { class: consumer.attached ? "good" : "faint" }, consumer.attached ? "yes" : "no"),
        element("td", { class: `number ${consumer.lag >= 10000 ? "grave" : consumer.lag ? "poor" : ""}` }, consumer.lag >= MOST_LAG ? `${whole(MOST_LAG)}+` : whole(consumer.lag)),
        element("td", { class: "number" }, moment(consumer.last_seen_at, "faint")),
      ),
    ),
  );
  const more = state.consumers_total - list.length;
  say("consumers-empty", more > 0 ? `and ${whole(more)} more` : list.length ? "" : "No durable consumers yet. A program makes one when it subscribes under a name.");
}

const OUTBOX = [["sending", ""], ["queued", ""], ["failed", "grave"], ["unknown", "grave"], ["expired", "poor"], ["sent", ""]];

function outbox(state) {
  const { counts, entries } = state.outbox;
  part("outbox-counts", counts, () =>
    OUTBOX.filter(([word]) => counts?.[word] || word === "sent" || word === "queued").map(([word, tone]) =>
      element("li", { class: counts?.[word] ? tone : "" }, element("b", {}, whole(counts?.[word])), ` ${word}`),
    ),
  );
  part("outbox", entries, () =>
    entries.map((entry) =>
      element("li", {},
        element("p", { class: "line" },
          name(entry.to ? `@${entry.to}` : entry.conversation, "who"),
          element("span", { class: "tag", "data-tone": { failed: "bad", unknown: "bad", expired: "warn" }[entry.state] ?? "quiet" }, entry.state ?? "–"),
          element("span", { class: "end" }, `no. ${entry.id ?? "–"}, `, moment(entry.created_at)),
        ),
        element("p", { class: "small" }, many(entry.attempts, "attempt"), entry.error ? ": " : null, entry.error ? name(entry.error) : null),
      ),
    ),
  );
  const all = OUTBOX.reduce((sum, [word]) => sum + (word === "sent" ? 0 : (counts?.[word] ?? 0)), 0);
  const more = all - entries.length;
  if (more > 0) say("outbox-empty", `The oldest of each; and ${whole(more)} more, which \`agentchatctl outbox list\` shows.`);
  else say("outbox-empty", entries.length || !state.status ? "" : "Nothing waits, and nothing needs you.");
}

function order(state) {
  const { ordering, log, storage } = state.status ?? {};
  part("order", [ordering, log, storage], () => [
    ...field("Conversations", whole(ordering?.conversations)),
    ...field("Waiting behind a gap", whole(ordering?.parked), ordering?.parked ? "poor" : ""),
    ...field("Gaps filled", whole(ordering?.gaps_recovered)),
    ...field("Gaps that were none", whole(ordering?.gaps_absent)),
    ...field("Gaps given up", whole(ordering?.gaps_failed), ordering?.gaps_failed ? "grave" : ""),
    ...field("Events in the log", whole(log?.events)),
    ...field("Last offset", whole(log?.last_offset)),
    ...field("On disk", bytes(storage?.bytes)),
  ]);
}

const KINDS = { "message.sent": "own", "message.failed": "failed" };

function messages(state) {
  const list = state.messages ?? [];
  const own = state.status?.agent?.handle;
  part("message-list", [list, own], () =>
    list.map((message) => {
      const kind = KINDS[message.kind] ?? "";
      const who = kind === "failed" ? "Not sent" : message.sender || "–";
      return element("li", { class: kind },
        element("p", { class: "line" },
          name(who, "who"),
          message.to && !message.group ? element("span", { class: "small" }, "to ", name(`@${message.to}`)) : null,
          message.group ? element("span", { class: "small" }, "in ", name(message.group)) : null,
          kind === "own" ? element("span", { class: "tag" }, "sent") : null,
          kind === "failed" ? element("span", { class: "tag", "data-tone": "bad" }, message.state ?? "failed") : null,
          message.late ? element("span", { class: "tag", "data-tone": "warn" }, "late") : null,
          element("span", { class: "end" }, moment(message.at)),
        ),
        element("p", { class: "said", dir: "auto" }, message.text),
        message.cut ? element("p", { class: "cut" }, `cut here; offset ${message.offset} has all of it`) : null,
      );
    }),
  );
  say("messages-empty", list.length || !state.status ? "" : "No messages yet. What your agent gets and sends appears here.");
}

function rest(state) {
  const status = state.status;
  part("agent", status?.agent ?? null, (agent) => {
    if (!agent?.handle) return [status ? "no agent yet" : ""];
    const odd = agent.status !== "active" ? ` · ${agent.status}` : "";
    const paused = agent.paused_by_owner && agent.paused_by_owner !== "none" ? ` · paused by its owner: ${agent.paused_by_owner}` : "";
    return [name(`@${agent.handle}`), odd + paused];
  });
  const warnings = status?.warnings ?? [];
  $("warnings-card").hidden = warnings.length === 0;
  part("warnings", warnings, () => warnings.map((warning) => element("li", {}, element("bdi", {}, ...marked(warning)))));
  say("process", status ? `agentchatd ${status.version}, process ${status.pid}, up ${span(status.uptime_ms)}, ${many(status.clients, "client")}, ${many(status.subscriptions, "subscription")}` : "");
}

function draw() {
  const state = last?.state;
  verdict(state);
  if (!state) return;
  for (const draw of [tiles, connection, consumers, outbox, order, messages, rest]) draw(state);
}

function fresh() {
  if (paused) say("fresh", `Paused${last ? ` at ${clock(last.state.at)}` : ""}`);
  else if (!last) say("fresh", lost ? "No contact" : "Loading…");
  else {
    const age = Date.now() - last.came;
    const now = last.state.away ? "Looking for the daemon" : "Live";
    say("fresh", age < HEARD_MS ? now : `Last heard ${span(age)} ago`);
  }
}

// -- asking -----------------------------------------------------------------

async function ask() {
  try {
    const answer = await fetch("state", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
    if (answer.status === 403) throw { end: true, title: "This page is not let in any more", more: "Run `agentchatctl dashboard` again, and open the address that it prints." };
    if (!answer.ok) throw { title: "No state comes", more: `agentchatctl answered with ${answer.status}.` };
    const state = await answer.json();
    if (paused) return;
    last = { state, came: Date.now() };
    [lost, silent] = [null, 0];
  } catch (error) {
    silent ||= Date.now();
    over = error.end === true || Date.now() - silent > GIVE_UP_MS;
    const then = over ? "Run `agentchatctl dashboard` again, and open the address that it prints." : "The page asks a little longer.";
    const gone = { title: "agentchatctl does not answer", more: `The command that serves this page has ended or hangs; the daemon itself may be well. ${then}` };
    lost = error.title ? error : gone;
  }
  draw();
  fresh();
}

async function turn() {
  clearTimeout(timer);
  if (!paused && !over) await ask();
  clearTimeout(timer);
  if (!over) timer = setTimeout(turn, document.hidden ? HIDDEN_MS : OFTEN_MS);
}

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  fresh();
  if (!paused) turn();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) turn();
});
setInterval(fresh, 1000);
turn();
