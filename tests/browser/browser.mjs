// A real Chromium with a fresh profile that talks to nobody but this machine.

import { chromium } from "playwright-core";

import { findChromium } from "../../scripts/chromium.mjs";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launchBrowser() {
  const executablePath = findChromium();
  if (!executablePath) throw new Error("Chromium was not found; CHROMIUM can name it");
  return chromium.launch({ executablePath, headless: true, args });
}
