// A browser's cookie jar, as strict as a browser about `__Host-` names (RFC 6265bis 4.1.3) and as silent about ports.

import assert from "node:assert/strict";

const prefix = "__Host-";

export class CookieJar {
  #hosts = new Map();

  /** Takes a Set-Cookie line; one that a browser would drop fails the test. */
  accept(url, line) {
    const { hostname } = new URL(url);
    const [pair, ...rest] = line.split(";").map((part) => part.trim());
    const [name, value] = [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    const attributes = new Map(rest.map((part) => [part.split("=")[0].toLowerCase(), part.split("=")[1] ?? ""]));
    assert.ok(line.length <= 4096, `a browser drops a cookie this long: ${name}`);
    if (name.startsWith(prefix)) assertHostCookie(line, attributes);
    const cookies = this.#of(hostname);
    const path = attributes.get("path") || "/";
    // A cookie is known by its name and its path.
    if (isOver(attributes)) cookies.delete(`${name} ${path}`);
    else cookies.set(`${name} ${path}`, { name, value, path, sameSite: attributes.get("samesite") });
  }

  /** The Cookie header for a request; `isTopLevelGet` says whether Lax cookies go on a cross-site request. */
  header(url, { isSameSite, isTopLevelGet }) {
    const { hostname, pathname } = new URL(url);
    return [...this.#of(hostname).values()]
      .filter((cookie) => isSameSite || isTopLevelGet || cookie.sameSite?.toLowerCase() === "none")
      .filter((cookie) => isUnder(pathname, cookie.path))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
  }

  get(hostname, name) {
    return this.#of(hostname).get(`${name} /`)?.value;
  }

  set(hostname, name, value) {
    this.#of(hostname).set(`${name} /`, { name, value, path: "/", sameSite: "Lax" });
  }

  names(hostname) {
    return [...this.#of(hostname).values()].map(({ name }) => name);
  }

  #of(hostname) {
    if (!this.#hosts.has(hostname)) this.#hosts.set(hostname, new Map());
    return this.#hosts.get(hostname);
  }
}

// http://localhost counts as secure, as it does in browsers.
function assertHostCookie(line, attributes) {
  assert.ok(attributes.has("secure"), `a browser refuses this cookie: ${line}`);
  assert.equal(attributes.get("path"), "/", `a browser refuses this cookie: ${line}`);
  assert.ok(!attributes.has("domain"), `a browser refuses this cookie: ${line}`);
  assert.ok(attributes.has("httponly"), `a script could read this cookie: ${line}`);
  assert.equal(attributes.get("samesite"), "Lax", `another site could send this cookie: ${line}`);
}

function isOver(attributes) {
  if (attributes.has("max-age")) return Number(attributes.get("max-age")) <= 0;
  return attributes.has("expires") && Date.parse(attributes.get("expires")) <= Date.now();
}

function isUnder(pathname, path) {
  return pathname === path || pathname.startsWith(path.endsWith("/") ? path : `${path}/`);
}
