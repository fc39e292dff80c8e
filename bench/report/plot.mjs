// The results as a plot: a group of bars for each scenario, as long as the ratio to the floor, with the middle half of all samples.
// It says the same on a light and on a dark page, and its numbers are text.

const left = 300;
const right = 60;
const bar = 18;
const gap = 26;
const width = 900;
const colours = { floor: "#8a8f98", vestibule: "#0b6bcb", tuned: "#5b9a3c", hono: "#c2571a", "workers-rs": "#8350b5" };

/** An SVG of `resultsOf`'s results; contestants without a colour are left out. */
export function plot(results) {
  const groups = results.map(shown).filter(({ rows }) => rows.length > 0);
  const longest = Math.max(1, ...groups.flatMap(({ rows }) => rows.map(({ ratio }) => ratio.high)));
  const scale = (ratio) => (ratio / longest) * (width - left - right);
  let top = 56;
  const parts = groups.map(({ scenario, rows }) => {
    const drawn = group({ scenario, rows, top, scale });
    top += gap + rows.length * bar + 10;
    return drawn;
  });
  return [opening(top + 16), floorLine(left + scale(1), top), ...parts, "</svg>", ""].join("\n");
}

function shown({ scenario, rows }) {
  return { scenario, rows: rows.filter(({ contestant, ratio }) => ratio && colours[contestant.name]) };
}

function opening(height) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">CPU for each request, as a ratio to a bare fetch of the origin; the thin lines are the middle half of all samples</title>
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.group { font-weight: 600 }
.range { stroke: #24292f; stroke-width: 1.5 }
.floor { stroke: #57606a; stroke-dasharray: 4 4 }
.paper { fill: #fff }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .range { stroke: #e6edf3 } .floor { stroke: #9ea7b3 } .paper { fill: #0d1117 } }
</style>
<rect class="paper" width="${width}" height="${height}" rx="8"/>
<text class="group" x="16" y="28">CPU for each request: × a bare fetch of the origin (less is better)</text>`;
}

function floorLine(x, bottom) {
  return `<line class="floor" x1="${number(x)}" x2="${number(x)}" y1="44" y2="${number(bottom)}"/>`;
}

function group({ scenario, rows, top, scale }) {
  const name = `<text class="group" x="16" y="${top + 16}">${escaped(scenario.title)}</text>`;
  return [name, ...rows.map((row, index) => line(row, top + gap + index * bar, scale))].join("\n");
}

function line({ contestant, ratio }, top, scale) {
  const [middle, low, high] = [ratio.median, ratio.low, ratio.high].map((value) => number(left + scale(value)));
  const at = top + bar / 2 - 1;
  return `<text x="${left - 8}" y="${top + 12}" text-anchor="end">${escaped(plain(contestant.title))}</text>
<rect x="${left}" y="${top}" width="${number(scale(ratio.median))}" height="${bar - 4}" fill="${colours[contestant.name]}"/>
<line class="range" x1="${low}" x2="${high}" y1="${at}" y2="${at}"/>
<text x="${number(Math.max(middle, high) + 6)}" y="${top + 12}">${ratio.median.toFixed(2)}</text>`;
}

/** Without the signs of Markdown. */
function plain(title) {
  return title.replace(/[`*]/g, "");
}

function escaped(text) {
  return text.replace(/[&<>]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[character]);
}

function number(value) {
  return Number(value.toFixed(1));
}
