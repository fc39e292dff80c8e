// The end-users of the demo's OpenID Provider.

import { accounts } from "../../demo/accounts.mjs";

export const [alice, bob] = accounts;
