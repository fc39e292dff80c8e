// Who and what there is unless a caller of startEntra says otherwise: two organizations, the tenant of personal accounts,
// people of each, and a guest. The passwords protect nothing.

/** The tenant that personal Microsoft accounts live in. */
export const personalAccounts = "9188040d-6c67-4c5b-b112-36a304b66dad";

export const contoso = {
  id: "6f3c1f0a-6f5b-4d6e-9b1e-0c0a7a5e1c01",
  domain: "contoso.example",
  name: "Contoso",
};

export const fabrikam = {
  id: "b7a1e5d2-8c44-4e0f-a6d3-0fab51ca4e02",
  domain: "fabrikam.example",
  name: "Fabrikam",
};

export const consumers = { id: personalAccounts, domain: "live.com", name: "Personal Microsoft accounts" };

export const tenants = [contoso, fabrikam, consumers];

// `home` is the tenant that an account lives in; `guestIn` lists the tenants that have invited it, with the object that
// stands for it there. `groups` and `roles` are those of the account's own tenant.
export const users = [
  {
    username: "ada@contoso.example",
    password: "engine",
    home: contoso.id,
    oid: "1c6a7b52-3f0e-4c0f-8a51-2b1a3e9f0a01",
    name: "Ada Løvelace",
    email: "ada@contoso.example",
    roles: ["admin"],
    groups: ["0a9e8d7c-1111-4222-8333-944455566601"],
    isAdministrator: true,
  },
  {
    username: "grace@contoso.example",
    password: "compiler",
    home: contoso.id,
    oid: "2d7b8c63-4a1f-4d1a-9b62-3c2b4fa01b02",
    name: "Grace Hopper",
  },
  {
    username: "gus@fabrikam.example",
    password: "visitor",
    home: fabrikam.id,
    oid: "3e8c9d74-5b2a-4e2b-8c73-4d3c5ab12c03",
    name: "Gus Guest",
    email: "gus@fabrikam.example",
    guestIn: [{ tenant: contoso.id, oid: "4f9dae85-6c3b-4f3c-9d84-5e4d6bc23d04", roles: ["reader"] }],
  },
  {
    username: "pat@outlook.example",
    password: "private",
    home: personalAccounts,
    oid: "00000000-0000-0000-66f3-3332eca7ea81",
    name: "Pat Private",
    email: "pat@outlook.example",
  },
];
