// What a person does about an API that sign-in did not ask for.

import assert from "node:assert/strict";

import { confirmed } from "../../demo/settings.mjs";
import { answerOf, seesHeading, seesText, statusOf } from "./person.mjs";

const invoices = "Invoices API";

/** Calls the Invoices API, and is told in words that permission is needed. */
export async function needsPermission(page) {
  await page.getByRole("button", { name: "Call the Invoices API" }).click();
  await statusOf(page, invoices).getByText("no permission to see your invoices").waitFor();
}

/** Goes where permission can be given. */
export async function followsNeed(page, { op }) {
  await page.getByRole("link", { name: "Give permission" }).click();
  await page.waitForURL(`${op.issuer}/interaction/**`);
  await seesHeading(page, "Allow access?");
}

export async function allow(page) {
  await page.getByRole("button", { name: "Allow" }).click();
}

export async function seesInvoices(page) {
  await page.getByRole("button", { name: "Call the Invoices API" }).click();
  await seesText(statusOf(page, invoices), "200 OK");
  assert.equal((await answerOf(page, invoices)).invoices[0].id, "2026-001");
}

/** For `intercept` of an API: whatever was done, it wants a confirmation. */
export function neverContent(_request, response) {
  const claims = { id_token: { acr: { essential: true, values: [confirmed] } } };
  const encoded = Buffer.from(JSON.stringify(claims)).toString("base64");
  response.writeHead(401, { "www-authenticate": `Bearer error="insufficient_claims", claims="${encoded}"` }).end();
  return true;
}
