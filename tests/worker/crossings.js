// Counts the calls between JavaScript and wasm, both ways, whatever they are called. It runs in workerd and is given to it as
// text; imported before anything else, it stands where the module is instantiated.

const RealInstance = WebAssembly.Instance;
let counts;

/** What was called since the last time, by name: `{ imports, exports }`. */
export function takeCrossings() {
  const taken = counts;
  counts = { imports: {}, exports: {} };
  return taken;
}

takeCrossings();

WebAssembly.Instance = function Instance(module, imports) {
  const wrapped = Object.entries(imports).map(([name, functions]) => [name, counted("imports", functions)]);
  const { exports } = new RealInstance(module, Object.fromEntries(wrapped));
  return { exports: counted("exports", exports) };
};

/** The same members, of which the functions count their calls; memories and tables stay what they are. */
function counted(direction, members) {
  const entries = Object.entries(members).map(([name, member]) => {
    if (typeof member !== "function") return [name, member];
    const calling = (...args) => {
      counts[direction][name] = (counts[direction][name] ?? 0) + 1;
      return member(...args);
    };
    return [name, calling];
  });
  return Object.fromEntries(entries);
}
