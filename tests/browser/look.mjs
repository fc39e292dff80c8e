// What makes a page hard to read or to operate (WCAG 2.2: 1.3.1, 1.4.3, 1.4.10, 2.4.2, 2.5.8, 3.1.1, 3.3.2). Each
// function runs in the page, so it needs nothing from outside itself.

/** Language, title, headings, width, labels, size of controls. */
export function faultsOfStructure() {
  const all = (selector) => [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  const name = (element) => `${element.localName} "${element.textContent.trim().slice(0, 30)}"`;

  function documentFaults() {
    const levels = all("h1,h2,h3,h4").map((heading) => Number(heading.localName[1]));
    const skips = levels.some((level, index) => level > (levels[index - 1] ?? 0) + 1);
    return [
      !document.documentElement.lang && "no language",
      !document.title && "no title",
      all("h1").length !== 1 && `${all("h1").length} main headings`,
      all("main").length !== 1 && "no main landmark",
      skips && `heading levels ${levels}`,
      document.documentElement.scrollWidth > innerWidth && `${document.documentElement.scrollWidth} px wide`,
    ];
  }

  function controlFaults() {
    const unlabelled = all("input:not([type=hidden])").filter((input) => !input.labels.length);
    const small = all("button, input:not([type=hidden])").filter((control) => control.offsetHeight < 40);
    return [...unlabelled.map((input) => `${name(input)} has no label`), ...small.map((it) => `${name(it)} is small`)];
  }

  return [...documentFaults(), ...controlFaults()].filter(Boolean);
}

/** Texts whose contrast to what is behind them is below 4.5. */
export function faultsOfContrast() {
  // The browser itself turns any colour notation into channels.
  const brush = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  function painted(colours) {
    brush.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
    }
    return brush.getImageData(0, 0, 1, 1).data;
  }

  function luminance(channels) {
    const [red, green, blue] = [...channels].map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }

  function contrast(element) {
    const behind = [];
    for (let at = element; at; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const canvas = matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff";
    const background = luminance(painted([canvas, ...behind]));
    const text = luminance(painted([canvas, ...behind, getComputedStyle(element).color]));
    return (Math.max(background, text) + 0.05) / (Math.min(background, text) + 0.05);
  }

  const hasText = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  const visible = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility());
  const texts = visible.filter(hasText);
  const pale = texts.map((element) => ({ element, found: contrast(element) })).filter(({ found }) => found < 4.5);
  const name = ({ localName, textContent }) => `${localName} "${textContent.trim().slice(0, 30)}"`;
  return pale.map(({ element, found }) => `${name(element)}: contrast ${found.toFixed(1)}`);
}
