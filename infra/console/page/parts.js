// Small parts of the page: elements whose every text is text, and figures as people read them. A dash is what is not known.
"use strict";

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

/** Only what has changed is written, so that a screen reader says it once. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export const isKnown = (value) => value !== null && value !== undefined;
export const number = (value, digits = 0) =>
  isKnown(value) ? value.toLocaleString("en", { maximumFractionDigits: digits }) : "–";
export const withUnit = (value, unit, digits = 0) => (isKnown(value) ? `${number(value, digits)}${unit}` : "–");
export const percent = (share) => (isKnown(share) ? `${number(100 * share)}%` : "–");

export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole} s`;
  if (whole < 7200) return `${Math.round(whole / 60)} min`;
  return whole < 172800 ? `${Math.round(whole / 3600)} h` : `${Math.round(whole / 86400)} days`;
}

export const clock = (seconds) => (isKnown(seconds) ? `${new Date(1000 * seconds).toISOString().slice(11, 19)}Z` : "–");
export const moment = (seconds) =>
  isKnown(seconds) ? `${new Date(1000 * seconds).toISOString().slice(0, 19).replace("T", " ")}Z` : "–";

/** Rows of a definition list: [name, value, extra class]. */
export function rows(list, told) {
  list.replaceChildren(
    ...told.map(([name, value, kind]) => make("div", {}, make("dt", {}, name), make("dd", kind ? { class: kind } : {}, value))),
  );
}
