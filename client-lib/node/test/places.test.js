import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { clientSockets } from "../src/places.js";

const vectors = JSON.parse(readFileSync(new URL("../../fixtures/places.json", import.meta.url), "utf8"));

test("the socket is looked for where the rule says", () => {
  for (const { environment, root, places } of vectors) {
    assert.deepEqual(clientSockets(environment, root), places, JSON.stringify({ environment, root }));
  }
});
