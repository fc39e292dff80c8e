// Every way in which a session ends. Each gets the world and `{ browser, sid, key, operatorKey }`: the browser, the OP's
// session and its signing key, and the operator's. `isElsewhere` has another isolate carry it out.

import assert from "node:assert/strict";

import { exchange } from "../worker/exchange.mjs";
import { loadFrame, logoutToken, postLogoutToken } from "./logout-tokens.mjs";
import { alice } from "./people.mjs";

const elsewhere = { "x-test": "apart" };
const { sub } = alice.claims;

/** Those that name a session alone, and leave the others of the account. */
export const sessionSignOuts = {
  "by its id": async (world, { browser, isElsewhere }) => {
    const { sessions } = (await browser.script("/.auth/sessions")).json();
    const { id } = sessions.find(({ current }) => current);
    const other = world.browser({ isElsewhere });
    await other.signIn("/", alice);
    assert.equal((await other.script(`/.auth/sessions/${id}`, { method: "DELETE" })).status, 204);
  },
  "by front-channel": async (world, { sid, isElsewhere }) => {
    assert.equal((await loadFrame(world, { sid }, isElsewhere && elsewhere)).status, 200);
  },
  "by back-channel": (world, { sid, key, isElsewhere }) => backChannel(world, key, { sid, sub }, isElsewhere),
  "by back-channel with sid alone": (world, { sid, key, isElsewhere }) => backChannel(world, key, { sid }, isElsewhere),
};

/** Those that end all of the account. */
export const accountSignOuts = {
  "by its user": (_world, { browser, isElsewhere }) => as(browser, isElsewhere, () => browser.signOut({ atOp: false })),
  "by back-channel with sub alone": (world, { key, isElsewhere }) => backChannel(world, key, { sub }, isElsewhere),
  "by the operator": async (world, { operatorKey, isElsewhere }) => {
    const body = new URLSearchParams({ sub }).toString();
    const headers = { authorization: `Bearer ${operatorKey}`, "content-type": "application/x-www-form-urlencoded" };
    const all = { ...headers, "content-length": body.length, ...(isElsewhere && elsewhere) };
    const answer = await exchange(`${world.publicOrigin}/.auth/operator/sign-out`, { method: "POST", headers: all, body });
    assert.equal(answer.status, 200);
  },
};

export const signOuts = { ...sessionSignOuts, ...accountSignOuts };

async function backChannel(world, key, claims, isElsewhere) {
  const answer = await postLogoutToken(world, await logoutToken(world, key, claims), isElsewhere && elsewhere);
  assert.equal(answer.status, 200);
}

/** The browser reaches another isolate, as any request may. */
async function as(browser, isElsewhere, act) {
  const usual = browser.isElsewhere;
  browser.isElsewhere = Boolean(isElsewhere);
  await act();
  browser.isElsewhere = usual;
}
