// Finds the browser for the browser tests.

import { findProgram, isExecutable } from "./programs.mjs";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

export function findChromium() {
  if (process.env.CHROMIUM) return isExecutable(process.env.CHROMIUM) ? process.env.CHROMIUM : undefined;
  const mac = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome";
  return findProgram(names, ["/usr/bin", "/snap/bin"]) ?? [mac].find(isExecutable);
}
