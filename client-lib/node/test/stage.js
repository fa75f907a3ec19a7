// The real daemon with the sandbox behind it. Binaries: TEST_AGENTCHATD and TEST_SANDBOX, else those of a debug build.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const BUILT = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, "target"), "debug");
const DAEMON = process.env.TEST_AGENTCHATD ?? join(BUILT, "agentchatd");
const SANDBOX = process.env.TEST_SANDBOX ?? join(BUILT, "agentchat-sandbox");
const PATIENCE_MS = 30_000;

/** A sandbox with the agents `me` and `peer`, and a daemon for `me`. */
export class Stage {
  #folder = mkdtempSync(join(tmpdir(), "stage-"));
  #daemon = null;
  path = join(this.#folder, "d.sock");

  static async start() {
    const stage = new Stage();
    writeFileSync(join(stage.#folder, "key"), "ac_sandbox_me", { mode: 0o600 });
    const options = ["--unlimited", "--agent", "me", "--agent", "peer"];
    stage.sandbox = spawn(SANDBOX, options, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(createInterface(stage.sandbox.stdout), "line");
    stage.url = JSON.parse(line).base_url;
    await stage.start();
    return stage;
  }

  async end() {
    await this.kill();
    this.sandbox.kill("SIGKILL");
    await once(this.sandbox, "close");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Starts the daemon and waits until it is connected. */
  async start() {
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith("AGENTCHAT"));
    const env = { ...Object.fromEntries(own), AGENTCHAT_BASE_URL: this.url, XDG_CONFIG_HOME: this.#folder };
    const log = openSync(join(this.#folder, "log"), "a");
    const paths = ["--socket", this.path, "--state-dir", join(this.#folder, "state")];
    const options = [...paths, "--api-key-file", join(this.#folder, "key")];
    this.#daemon = spawn(DAEMON, options, { env, stdio: ["ignore", log, log] });
    const deadline = Date.now() + PATIENCE_MS;
    while ((await this.#state()) !== "ready") {
      if (Date.now() > deadline || this.#daemon.exitCode !== null) {
        throw new Error(`the daemon is not ready:\n${readFileSync(join(this.#folder, "log"), "utf8").slice(-4000)}`);
      }
      await sleep(20);
    }
  }

  #state() {
    return new Promise((resolve) => {
      let text = "";
      const socket = connect(this.path).setEncoding("utf8");
      socket.on("error", () => resolve(null)).on("close", () => resolve(null));
      socket.write('{"jsonrpc":"2.0","id":1,"method":"daemon.status"}\n');
      socket.on("data", (chunk) => {
        text += chunk;
        if (!text.endsWith("\n")) return;
        resolve(JSON.parse(text).result?.connection.state);
        socket.destroy();
      });
    });
  }

  kill() {
    return this.#end("SIGKILL");
  }

  stop() {
    return this.#end("SIGTERM");
  }

  async #end(how) {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (daemon === null || daemon.exitCode !== null) return;
    daemon.kill(how);
    await once(daemon, "exit");
  }

  /** A message of `peer` to the agent of the daemon. */
  async peerSays(text, order = {}) {
    const body = JSON.stringify({ from: "peer", to: "me", ...(text === undefined ? {} : { text }), ...order });
    const options = { method: "POST", body, headers: { "content-type": "application/json" } };
    const answer = await fetch(`${this.url}/_sandbox/send`, options);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  /** What the platform has for an agent, as one list. */
  async messagesOf(handle) {
    return Object.values(await (await fetch(`${this.url}/_sandbox/messages/${handle}`)).json()).flat();
  }
}
