// The floor: the least that a Worker in front of an origin can do. Everything else is measured as a ratio to it.

export default {
  fetch(request, env) {
    return fetch(env.ORIGIN + request.url.slice(request.url.indexOf("/", 8)), request);
  },
};
