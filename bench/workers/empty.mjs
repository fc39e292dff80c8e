// Nothing: what the runtime itself costs to start.

export default {
  fetch() {
    return new Response(null);
  },
};
