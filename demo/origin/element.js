// Looking elements up, and making them.

export function element(id) {
  return document.getElementById(id);
}

/** `content` is a text, an element, or several of them. */
export function newElement(name, content, properties = {}) {
  const created = Object.assign(document.createElement(name), properties);
  created.append(...[content].flat());
  return created;
}
