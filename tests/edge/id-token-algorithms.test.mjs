import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeProtectedHeader } from "jose";

import { alice } from "./people.mjs";
import { startWorld } from "./world.mjs";

for (const alg of ["RS256", "PS256", "ES256", "EdDSA"]) {
  test(`an ID token that is signed with ${alg} signs its user in`, async () => {
    const world = await startWorld({ provider: { idTokenAlg: alg } });
    try {
      const browser = world.browser();
      await browser.signIn();
      assert.equal((await browser.script("/.auth/me")).json().sub, alice.claims.sub);
      assert.equal(decodeProtectedHeader(world.issued.grants[0].body.id_token).alg, alg);
    } finally {
      await world.close();
    }
  });
}

test("an algorithm that the configuration does not name signs nobody in", async () => {
  const vars = { OpenIdConnect: { IdTokenSigningAlgorithms: ["PS256", "ES256"] } };
  const world = await startWorld({ vars, provider: { idTokenAlg: "RS256" } });
  try {
    const browser = world.browser();
    assert.equal((await browser.signIn()).status, 502);
    assert.equal(browser.session, undefined);
    assert.deepEqual(await world.accountEntries(), []);
  } finally {
    await world.close();
  }
});
