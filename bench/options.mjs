// What `npm run bench` takes.

import { parseArgs } from "node:util";

import { Stop } from "../scripts/step.mjs";
import { names, separate, usual } from "./scenarios.mjs";

const full = { rounds: 5, turns: 3, milliseconds: 250, warmUp: 1500, signIns: 20, coldStarts: 15, crowds: 2, sessions: [1000, 10_000, 50_000, 100_000] };
const quick = { rounds: 2, turns: 1, milliseconds: 600, warmUp: 1500, signIns: 15, coldStarts: 3, crowds: 1, sessions: [100, 1000] };

export const usage = `npm run bench -- [--quick] [--only <scenario>]… [--rounds <n>] [--write]

  --quick     two short rounds: to see that it works, not to compare numbers
  --only      one scenario, or several: ${names.join(", ")};
              without it all are run but ${Object.keys(separate).join(" and ")}
  --rounds    how many rounds
  --write     puts the results into docs/performance.md and docs/performance.svg`;

/** `{ rounds, turns, milliseconds, warmUp, signIns, coldStarts, crowds, sessions, wanted, isWritten }`. */
export function optionsOf(args) {
  const { values } = parsed(args);
  const only = values.only ?? usual;
  const unknown = only.find((name) => !names.includes(name));
  if (unknown) throw new Stop(`There is no scenario "${unknown}". There are: ${names.join(", ")}.`);
  const rounds = values.rounds && Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Stop("--rounds takes a number.");
  const isWritten = values.write ?? false;
  const isPartial = only !== usual && !only.every((name) => Object.hasOwn(separate, name));
  if (isWritten && (values.quick || isPartial)) {
    throw new Stop(`Only a full run is worth writing down: leave out --quick, and --only but with ${Object.keys(separate).join(" and ")}.`);
  }
  return { ...(values.quick ? quick : full), ...(rounds && { rounds }), wanted: only, isWritten };
}

function parsed(args) {
  const options = {
    quick: { type: "boolean" },
    write: { type: "boolean" },
    rounds: { type: "string" },
    only: { type: "string", multiple: true },
  };
  try {
    return parseArgs({ args, options });
  } catch (error) {
    throw new Stop(`${error.message}\n\n${usage}`);
  }
}
