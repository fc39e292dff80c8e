// The demo's end-users. `npm start` prints the passwords: they protect nothing.

export const accounts = [
  {
    username: "alice",
    password: "wonderland",
    claims: {
      sub: "alice-5d0f",
      name: "Alice Liddell",
      preferred_username: "alice",
      email: "alice@example.com",
      email_verified: true,
      // What the rule for /admin/** asks for.
      roles: ["admin"],
    },
  },
  {
    username: "bob",
    password: "builder",
    claims: {
      sub: "bob-91ce",
      name: "Bob Østergård",
      preferred_username: "bob",
      email: "bob@example.com",
      email_verified: true,
    },
  },
];

export function accountBySubject(sub) {
  return accounts.find((account) => account.claims.sub === sub);
}

export function accountByPassword(username, password) {
  return accounts.find((account) => account.username === username && account.password === password);
}
