// Finds programs that others installed.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The first program of one of the names on the path, or else in one of the other folders. */
export function findProgram(names, otherFolders) {
  const folders = [...process.env.PATH.split(delimiter), ...otherFolders];
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

export function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
