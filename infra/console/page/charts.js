// Time lines of both lanes, one chart for each figure. A minute that is not known is a gap.
"use strict";
import { clock, isKnown, make, number } from "./parts.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 300,
  HEIGHT = 90,
  TOP = 18;
const CHARTS = [
  { name: "requests_per_s", title: "requests", unit: "/s", digits: 1, lanes: ["lambda", "container"] },
  { name: "error_percent", title: "errors", unit: "%", digits: 2, lanes: ["lambda", "container"], least: 1 },
  { name: "p99_ms", title: "p99", unit: " ms", digits: 0, lanes: ["lambda", "container"] },
  { name: "throttled", title: "throttles", unit: " a minute", digits: 0, lanes: ["lambda"], least: 1 },
  { name: "loop_lag_ms", title: "loop lag p99", unit: " ms", digits: 1, lanes: ["container"], least: 10 },
  { name: "healthy", title: "healthy targets", unit: "", digits: 0, lanes: ["container"], least: 1 },
];

function drawn(tag, attributes) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

/** Stretches of known minutes, each as a polyline's points; one minute alone is a short dash. */
function stretches(values, x, y) {
  const found = [];
  let points = [];
  const close = () => {
    if (points.length === 1) points.push([points[0][0] + 1.5, points[0][1]]);
    if (points.length) found.push(points.map(([left, top]) => `${left.toFixed(1)},${top.toFixed(1)}`).join(" "));
    points = [];
  };
  values.forEach((value, index) => (isKnown(value) ? points.push([x(index), y(value)]) : close()));
  close();
  return found;
}

/** Of the last minute that is known at all: what a lane did before it fell quiet is not what it does now. */
const last = (values) => values.at(-1);

function chart(spec, timeline, marks) {
  const series = spec.lanes.map((lane) => [lane, timeline.lanes[lane][spec.name]]);
  const most = Math.max(spec.least ?? 0, ...series.flatMap(([, values]) => values.filter(isKnown))) || 1;
  const minutes = timeline.minutes,
    count = Math.max(1, minutes.length - 1);
  const x = (index) => 1 + ((WIDTH - 4) * index) / count,
    y = (value) => HEIGHT - 2 - ((HEIGHT - 2 - TOP) * value) / most;
  const says = series
    .map(([lane, values]) => `${lane} ${isKnown(last(values)) ? number(last(values), spec.digits) + spec.unit : "not known"}`)
    .join(", ");
  const svg = drawn("svg", {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
    "aria-label": `${spec.title}: ${says}; most ${number(most, spec.digits)}${spec.unit}`,
  });
  for (const mark of marks) {
    const at = (mark - minutes[0]) / 60;
    if (at >= 0 && at <= count) svg.append(drawn("line", { class: "mark", x1: x(at), x2: x(at), y1: TOP - 4, y2: HEIGHT }));
  }
  svg.append(drawn("line", { class: "base", x1: 0, x2: WIDTH, y1: HEIGHT - 1, y2: HEIGHT - 1 }));
  for (const [lane, values] of series)
    for (const points of stretches(values, x, y)) svg.append(drawn("polyline", { class: lane, points }));
  const legend = series.map(([lane, values]) =>
    make(
      "span",
      { class: `key ${lane}` },
      `${lane} `,
      make("b", {}, isKnown(last(values)) ? number(last(values), spec.digits) + spec.unit : "–"),
    ),
  );
  return make(
    "figure",
    { "data-chart": spec.name },
    make("figcaption", {}, make("span", { class: "name" }, spec.title), ...legend),
    make("div", { class: "plot" }, make("small", { class: "most" }, `${number(most, spec.digits)}${spec.unit}`), svg),
    make(
      "div",
      { class: "axis dim" },
      make("small", {}, clock(minutes[0]).slice(0, 5)),
      make("small", {}, clock(minutes[minutes.length - 1]).slice(0, 5) + "Z"),
    ),
  );
}

/** `marks` are the moments at which weights were written. */
export function drawCharts(box, timeline, marks) {
  if (!timeline || timeline.minutes.length === 0) {
    box.replaceChildren(make("p", { class: "dim" }, "CloudWatch has told nothing of the last hour."));
    return;
  }
  box.replaceChildren(...CHARTS.map((spec) => chart(spec, timeline, marks)));
}
