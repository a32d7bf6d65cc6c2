// Every event, newest first, with the figures that its decision used to unfold. What is unfolded stays so.
"use strict";
import { byId, isKnown, make, moment, number } from "./parts.js";

const NAMES = {
  requests: "requests",
  errors: "errors",
  p99_ms: "p99 ms",
  throttled: "throttles",
  loop_lag_ms: "loop lag ms",
  healthy: "healthy",
};
const shown = new Map();
const keyOf = (event) => `${event.at} ${event.switch} ${event.phase} ${event.what}`;

export function drawHistory(told) {
  const box = byId("history");
  if (told.history === null) return box.replaceChildren(make("p", { class: "dim" }, "–"));
  if (told.history.length === 0) return box.replaceChildren(make("p", { class: "dim" }, `No switch of ${told.stage} yet.`));
  const keys = new Set(told.history.map(keyOf));
  for (const [key, element] of shown)
    if (!keys.has(key)) {
      element.remove();
      shown.delete(key);
    }
  for (const empty of box.querySelectorAll("p")) empty.remove();
  let before = null,
    of = null;
  for (const event of told.history) {
    const key = keyOf(event);
    if (!shown.has(key)) {
      shown.set(key, entry(event));
      box.insertBefore(shown.get(key), before);
    }
    before = shown.get(key);
    before.classList.toggle("first", event.switch !== of);
    of = event.switch;
  }
  if (told.history.length >= told.most_events)
    box.append(make("p", { class: "dim" }, "Older: ", make("code", {}, `crossover history --stage ${told.stage} --last 10000`)));
  return undefined;
}

function entry(event) {
  const figures = Object.entries(event.figures || {});
  const line = [
    make("time", { class: "dim" }, moment(event.at)),
    " ",
    make("b", { class: `phase ${event.phase}` }, event.phase),
    " ",
    make("span", { class: "what" }, event.what),
  ];
  line.push(make("small", { class: "dim" }, `${event.who}, ${event.switch}`));
  if (figures.length === 0) return make("div", { class: "event" }, ...line);
  return make("details", { class: "event" }, make("summary", {}, ...line), table(figures));
}

function table(figures) {
  const head = make(
    "tr",
    {},
    make("th", { scope: "col" }, "lane"),
    ...Object.values(NAMES).map((name) => make("th", { scope: "col" }, name)),
  );
  const body = figures.map(([lane, its]) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, lane),
      ...Object.keys(NAMES).map((name) => make("td", {}, isKnown(its[name]) ? number(its[name], 1) : "–")),
    ),
  );
  const alone = figures.flatMap(([lane, its]) =>
    Object.entries(its.uncompared || {}).map(([name, why]) => `${lane} ${NAMES[name]} (${why})`),
  );
  const rows = make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
  const note = alone.length ? [make("small", { class: "dim" }, `Judged by its limit alone: ${alone.join(", ")}`)] : [];
  return make("div", { class: "wide" }, rows, ...note);
}
