// A scripted browser: cookies, fetch metadata and redirects as browsers do them. It remembers everything it saw.

import { alice } from "./people.mjs";
import { CookieJar } from "./cookie-jar.mjs";
import { exchange } from "../worker/exchange.mjs";

const session = "__Host-session";

export class Browser {
  jar = new CookieJar();
  /** Every answer that this browser received, redirects included. */
  seen = [];

  /** `headers` go with every request; one that `isElsewhere` is served by the second isolate: see startBuiltWorker. */
  constructor(world, { headers = {}, isElsewhere = false } = {}) {
    this.world = world;
    this.headers = headers;
    this.isElsewhere = isElsewhere;
  }

  /** Opens a page and follows redirects to any host, and pages that lead on by themselves. `from` is the address of the page it was opened from, if any. */
  async navigate(address, { method = "GET", form, from, headers } = {}) {
    let url = new URL(address, this.world.publicOrigin);
    let body = form && new URLSearchParams(form).toString();
    let isSameOrigin = true;
    for (let hops = 0; hops < 12; hops += 1) {
      isSameOrigin &&= !from || new URL(from).origin === url.origin;
      const site = from ? (isSameOrigin ? "same-origin" : "cross-site") : "none";
      const metadata = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": site };
      const all = { accept: "text/html,*/*;q=0.8", ...metadata, ...headers };
      if (body !== undefined) Object.assign(all, formHeaders(body, from));
      const answer = await this.#request(url, { method, headers: all, body, site });
      const onward = answer.headers.refresh?.match(/^0; url=(.+)$/)?.[1];
      if (onward) {
        [from, url, method, body, isSameOrigin] = [url.href, new URL(onward), "GET", undefined, true];
        continue;
      }
      if (![301, 302, 303, 307, 308].includes(answer.status)) return answer;
      url = new URL(answer.headers.location, url);
      if (answer.status < 307 && method !== "HEAD") [method, body] = ["GET", undefined];
    }
    throw new Error("the redirects do not end");
  }

  /** One step of a navigation: the redirect itself is the result. */
  async step(address, { method = "GET", headers, site = "none" } = {}) {
    const metadata = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": site };
    const url = new URL(address, this.world.publicOrigin);
    return this.#request(url, { method, headers: { accept: "text/html", ...metadata, ...headers }, site });
  }

  /** What a script of our own page does with fetch(); redirects are not followed. */
  async script(path, { method = "GET", headers, body, target } = {}) {
    const metadata = { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", "sec-fetch-site": "same-origin" };
    const url = new URL(path, this.world.publicOrigin);
    const all = { accept: "*/*", referer: `${this.world.publicOrigin}/page/one`, ...metadata, ...headers };
    return this.#request(url, { method, headers: all, body, target, site: "same-origin" });
  }

  /** The headers that `script` would send, for requests that are made another way. */
  scriptHeaders() {
    return { "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin", cookie: `${session}=${this.session}` };
  }

  async signIn(path = "/", account = alice) {
    return this.answerSignIn(await this.navigate(path), account);
  }

  /** Fills in the OP's sign-in form, where the OP shows one. */
  async answerSignIn(page, { username, password }) {
    if (!isSignInForm(page, this.world)) return page;
    return this.navigate(page.url, { method: "POST", form: { username, password }, from: page.url });
  }

  /** Up to the answer of the OP, which is not delivered: its address is the result. */
  async signInUpToCallback(path = "/", account = alice) {
    this.world.holdCallbacks = true;
    try {
      return (await this.signIn(path, account)).url;
    } finally {
      this.world.holdCallbacks = false;
    }
  }

  /** The sign-out button of the page, then the OP's question. */
  async signOut({ atOp = true } = {}) {
    const from = `${this.world.publicOrigin}/`;
    const page = await this.navigate("/.auth/logout", { method: "POST", form: {}, from });
    return atOp ? this.#answerSignOut(page) : page;
  }

  /** As it happens while the end-user leaves another application of the OP. */
  async signOutAtOp() {
    return this.#answerSignOut(await this.navigate(`${this.world.op.issuer}/session/end`));
  }

  get session() {
    return this.jar.get("localhost", session);
  }

  set session(value) {
    this.jar.set("localhost", session, value);
  }

  /** The answers of the Worker alone. */
  get seenOfWorker() {
    return this.seen.filter(({ url }) => url.startsWith(this.world.publicOrigin));
  }

  async #answerSignOut(page) {
    if (!page.text.includes("op.logoutForm")) return page;
    const action = page.text.match(/action="([^"]+)"/)[1];
    const xsrf = page.text.match(/name="xsrf" value="([^"]+)"/)[1];
    return this.navigate(action, { method: "POST", form: { xsrf, logout: "yes" }, from: page.url });
  }

  async #request(url, { method, headers, body, target, site }) {
    if (this.world.holdCallbacks && url.pathname === "/signin-oidc") return { url: url.href, status: 0, headers: {} };
    const isTopLevelGet = headers["sec-fetch-mode"] === "navigate" && method === "GET";
    const cookie = this.jar.header(url, { isSameSite: site !== "cross-site", isTopLevelGet });
    const isElsewhere = this.isElsewhere && url.origin === this.world.publicOrigin;
    const own = { ...this.headers, ...(isElsewhere && { "x-test": "apart" }) };
    const all = { ...own, ...headers, ...(cookie && { cookie }) };
    const answer = await exchange(url, { method, headers: all, body, target });
    for (const line of answer.setCookies) this.jar.accept(url, line);
    this.seen.push(answer);
    return answer;
  }
}

function formHeaders(body, from) {
  return {
    "content-type": "application/x-www-form-urlencoded",
    "content-length": Buffer.byteLength(body),
    ...(from && { origin: new URL(from).origin }),
  };
}

export function isSignInForm(page, world) {
  return page.url.startsWith(`${world.op.issuer}/interaction/`) && page.text.includes('name="password"');
}
