// What must hold of a session that has ended, whoever presents its cookie, and of one that goes on.

import assert from "node:assert/strict";

import { isSignInForm } from "./browser.mjs";

const paths = ["/.auth/me", "/page/one", "/api/Orders/whoami"];

/** What each path answers to a cookie: as a status, or the code of the problem. `more` says who presents it. */
export async function answersTo(world, session, more) {
  const replay = world.browser(more);
  const answers = [];
  for (const path of paths) {
    replay.session = session;
    const { status, json } = await replay.script(path);
    answers.push(status === 200 ? status : json().code);
  }
  return answers;
}

export async function assertGoesOn(world, session, more) {
  assert.deepEqual(await answersTo(world, session, more), [200, 200, 200]);
}

/** Nothing is served, nobody behind the Worker hears of the attempt, and the browser loses its cookie. */
export async function assertEnded(world, session, more) {
  const asked = () => [world.origin, world.orders].map(({ requests }) => requests.length);
  const before = asked();
  const replay = world.browser(more);
  for (const path of [...paths, "/.auth/sessions"]) {
    replay.session = session;
    const answer = await replay.script(path);
    assert.deepEqual([answer.status, answer.json().code], [401, "session_expired"], path);
    assert.equal(replay.session, undefined, `${path} left the cookie`);
  }
  replay.session = session;
  assert.ok(isSignInForm(await replay.navigate("/page/one"), world), "a page was served");
  assert.deepEqual(asked(), before);
}

/** The same by an instance that knows nothing of the end. */
export async function assertEndedForAll(world, session) {
  await assertEnded(world, session);
  await world.freshInstance();
  await assertEnded(world, session);
}
