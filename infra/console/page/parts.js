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

/** Rows of a definition list: [name, value, extra class]. Those that are there stay, so that what is read or chosen is not lost. */
export function rows(list, told) {
  const names = told.map(([name]) => name).join("\n");
  if (list.dataset.names !== names) {
    list.replaceChildren(...told.map(([name]) => make("div", {}, make("dt", {}, name), make("dd"))));
    list.dataset.names = names;
  }
  [...list.querySelectorAll("dd")].forEach((cell, index) => {
    setText(cell, told[index][1] || "");
    cell.className = told[index][2] || "";
  });
}

const drawn = new WeakMap();

/** Draws anew only what has changed: `told` is what it is drawn from, `parts` makes the children. */
export function redraw(element, told, parts) {
  const key = JSON.stringify(told);
  if (drawn.get(element) === key) return;
  drawn.set(element, key);
  element.replaceChildren(...parts());
}

/** Text in which what stands between backticks is a command to be copied. */
export const withCommands = (text) =>
  text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
