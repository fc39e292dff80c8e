// Every token that the OP really issued, so that a test can look for exactly those.

/** Gives a list that grows by `{ kind, token }` with every answer of the token endpoint. */
export function watchTokenEndpoint(op) {
  const issued = [];
  op.intercept = (request, response) => {
    if (request.method === "POST" && request.url === "/token") keepTokens(response, issued);
    return false;
  };
  return issued;
}

function keepTokens(response, issued) {
  const end = response.end;
  response.end = function endAndKeep(body, ...rest) {
    const answer = JSON.parse(String(body));
    for (const kind of ["access_token", "refresh_token", "id_token"]) {
      if (answer[kind]) issued.push({ kind, token: answer[kind] });
    }
    return end.call(this, body, ...rest);
  };
}
