// No store: the accounts' objects keep everything, and nobody has anything to ask here.

const refuse = () => Promise.reject(new Error("there is no store"));

export { refuse as get, refuse as put, refuse as replace, refuse as remove, refuse as list };
