import assert from "node:assert/strict";
import { test } from "node:test";

import { assertPage, assertProblem } from "./refusals.mjs";
import { startWorld } from "./world.mjs";

const paths = ["/", "/.auth/login", "/.auth/me", "/.auth/logout", "/signin-oidc?code=x&state=y", "/api/Orders/x", "/.auth/health"];

/** Every path answers `misconfigured`, nothing is forwarded, and one line of the log names all faults. */
async function assertMisconfigured(options, expected) {
  const world = await startWorld(options);
  try {
    for (const path of paths) {
      assertProblem(await world.browser().script(path), 500, "misconfigured");
      assertPage(await world.browser().step(path), 500);
    }
    const invalid = (await world.events()).filter(({ event }) => event === "config.invalid");
    assert.equal(invalid.length, 1);
    assert.equal(invalid[0].faults.length, expected.length, invalid[0].faults.join("\n"));
    for (const pattern of expected) assert.ok(invalid[0].faults.some((fault) => pattern.test(fault)), `${pattern}`);
    for (const secret of world.issued.secrets) assert.ok(!JSON.stringify(invalid).includes(secret.split(" ")[1]));
    assert.deepEqual([...world.origin.requests, ...world.orders.requests, ...world.op.requests], []);
  } finally {
    await world.close();
  }
}

test("settings that are missing are named together, and nothing is served", async () => {
  const vars = { OpenIdConnect: { ClientId: undefined }, Gateway: { PublicOrigin: undefined, Origin: undefined } };
  const secrets = { Session__Key: undefined, OpenIdConnect__ClientSecret: undefined };
  await assertMisconfigured({ vars, secrets, withStore: false }, [
    ...[/^OpenIdConnect\.ClientId: is required/, /^OpenIdConnect\.ClientSecret: is required/, /^Gateway\.PublicOrigin: is required/],
    ...[/^Gateway\.Origin: is required/, /^Session\.Key: is required/, /^TOKEN_CACHE: is required/],
  ]);
});

test("settings that are wrong are named together, and nothing is served", async () => {
  const gateway = { PublicOrigin: "https://app.example/path", Origin: "ftp://x", OriginTimeoutSeconds: 0 };
  const vars = {
    OpenIdConnect: { ClientSecret: "in-the-open", Authorty: "x" },
    Gateway: gateway,
    Session: { IdleSeconds: "soon" },
    DownstreamApis: { Orders: { BaseUrl: "http://api.example" }, Invoices: undefined },
  };
  await assertMisconfigured({ vars, secrets: { Session__Key: "c2hvcnQ=", OpenIdConnect__ClientSecret: undefined } }, [
    ...[/^OpenIdConnect\.ClientSecret: is a secret/, /^OpenIdConnect\.Authorty: /, /^Gateway\.PublicOrigin: /, /^Gateway\.Origin: /],
    ...[/^Gateway\.OriginTimeoutSeconds: /, /^Session\.IdleSeconds: /, /^Session\.Key: must/],
    ...[/^DownstreamApis\.Orders\.BaseUrl: /, /^DownstreamApis\.Orders\.Scopes: is required/],
  ]);
});
