// @hono/oidc-auth as its documentation shows it, and its access token passed on: in the cookie, which is all the store it has.

import { Hono } from "hono";
import { getAuth, oidcAuthMiddleware } from "@hono/oidc-auth";

const app = new Hono();
const signIn = oidcAuthMiddleware();

app.get("/public/*", (c) => forward(c));

app.use("*", async (c, next) => {
  c.set("oidcClaimsHook", async (before, claims, { access_token: accessToken }) => ({
    sub: claims?.sub ?? before?.sub,
    accessToken: accessToken ?? before?.accessToken,
  }));
  await next();
});

// The middleware would send scripts to the OP, too.
app.use("/api/*", async (c, next) => ((await getAuth(c)) ? next() : c.json({ error: "signed_out" }, 401)));
app.use("*", signIn);

app.all("*", async (c) => forward(c, (await getAuth(c)).accessToken));

async function forward(c, accessToken) {
  const { raw } = c.req;
  const headers = new Headers(raw.headers);
  headers.delete("cookie");
  if (accessToken) headers.set("authorization", `Bearer ${accessToken}`);
  const url = c.env.ORIGIN + raw.url.slice(raw.url.indexOf("/", 8));
  const answer = await fetch(url, { method: raw.method, headers, body: raw.body, redirect: "manual" });
  // The middleware sets a header of it.
  return new Response(answer.body, answer);
}

export default app;
