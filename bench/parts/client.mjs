// A browser as far as signing in needs one: cookies, redirects, the OP's form. It knows no Worker's paths.

import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";

import { accounts } from "../../demo/accounts.mjs";
import { Stop } from "../../scripts/step.mjs";

/** What tells a browser's own request from one of a script. */
export const page = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none" };

/** What a page's script sends with each call, as a current browser does: without a cookie. */
export function scriptHeaders(publicOrigin) {
  return {
    accept: "application/json",
    "accept-encoding": "gzip, deflate, br, zstd",
    "accept-language": "en-GB,en;q=0.9",
    "cache-control": "no-cache",
    pragma: "no-cache",
    referer: `${publicOrigin}/page`,
    "sec-ch-ua": '"Chromium";v="142", "Not=A?Brand";v="24"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "sec-fetch-dest": "empty",
    "sec-fetch-mode": "cors",
    "sec-fetch-site": "same-origin",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  };
}

export class Client {
  #cookies = new Map();

  /** `authority` is the certificate that the OP's is checked against. */
  constructor({ publicOrigin, authority }) {
    this.publicOrigin = publicOrigin;
    this.authority = authority;
  }

  /** Opens `path` and signs in on the way; ends at the origin's answer. */
  async signIn(path) {
    let { url, answer } = await this.#follow(new URL(path, this.publicOrigin));
    if (url.origin !== this.publicOrigin) {
      const body = new URLSearchParams(accounts[0]).toString();
      ({ url, answer } = await this.#follow(url, body));
    }
    if (answer.status !== 200 || url.origin !== this.publicOrigin) {
      throw new Stop(`Signing in at ${this.publicOrigin} ends at ${url.origin}${url.pathname} with ${answer.status}: ${answer.text.slice(0, 500)}`);
    }
    return this;
  }

  /** What a script of the page gets. */
  call(path) {
    const url = new URL(path, this.publicOrigin);
    return this.#send(url, "GET", this.callHeaders());
  }

  callHeaders() {
    return { ...scriptHeaders(this.publicOrigin), cookie: this.#header(new URL(this.publicOrigin)) };
  }

  async #follow(from, form) {
    let [url, body] = [from, form];
    for (let hop = 0; hop < 12; hop += 1) {
      const answer = await this.#send(url, body ? "POST" : "GET", { ...page, cookie: this.#header(url) }, body);
      if (answer.status < 300 || answer.status > 399) return { url, answer };
      [url, body] = [new URL(answer.headers.location, url), undefined];
    }
    throw new Stop(`The redirects from ${from.origin} do not end.`);
  }

  async #send(url, method, headers, body) {
    const type = body && { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) };
    const all = { host: url.host, ...headers, ...type };
    const options = { method, headers: all, host: "127.0.0.1", port: url.port, path: url.pathname + url.search };
    const answer = await exchange(url.protocol === "https:" ? httpsRequest : httpRequest, { ...options, ca: this.authority }, body);
    for (const line of answer.headers["set-cookie"] ?? []) this.#keep(url.hostname, line);
    return answer;
  }

  #keep(host, line) {
    const [pair, ...attributes] = line.split(";").map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf("="));
    const [, path = "/"] = attributes.find((attribute) => /^path=/i.test(attribute))?.split("=") ?? [];
    const isOver = attributes.some((attribute) => /^(max-age=0$|expires=Thu, 01 Jan 1970)/i.test(attribute));
    if (isOver) this.#cookies.delete(`${host} ${path} ${name}`);
    else this.#cookies.set(`${host} ${path} ${name}`, { host, path, pair });
  }

  #header({ hostname, pathname }) {
    const mine = [...this.#cookies.values()].filter(({ host, path }) => host === hostname && pathname.startsWith(path));
    return mine.map(({ pair }) => pair).join("; ");
  }
}

function exchange(request, options, body) {
  return new Promise((resolve, reject) => {
    const sent = request(options, async (message) => {
      const chunks = await message.toArray().catch(reject);
      resolve({ status: message.statusCode, headers: message.headers, text: Buffer.concat(chunks ?? []).toString("utf8") });
    });
    sent.once("error", reject);
    sent.setTimeout(20_000, () => sent.destroy(new Error("no answer")));
    sent.end(body);
  });
}
