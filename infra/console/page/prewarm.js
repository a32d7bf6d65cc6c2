// A lane made ready ahead of load, or let go again: what it raises first, then the confirmation, then how far it is.
"use strict";
import { asCommand, fill, nameField, order, typedIn } from "./dialogs.js";
import { clock, make, number, setText, span } from "./parts.js";

const LANES = { lambda: "Lambda", container: "containers" };

function lanes(told) {
  const idle = told.split && told.split.container > told.split.lambda ? "lambda" : "container";
  return make(
    "fieldset",
    {},
    make("legend", {}, "Which lane"),
    ...Object.entries(LANES).map(([lane, label]) =>
      make("label", { class: "choice" }, make("input", { type: "radio", name: "lane", value: lane, checked: lane === idle }), label),
    ),
  );
}

function numeric(label, name, attributes, hint) {
  const input = make("input", { name, type: "number", min: 1, autocomplete: "off", ...attributes });
  return make("label", {}, label, input, make("small", { class: "dim" }, hint));
}

/** Ask for a lane and how many. */
export function askPrewarm(told, post) {
  const parts = [
    make("p", {}, "Has a lane's instances or environments ready, and keeps them. No traffic moves; a switch does this by itself."),
    lanes(told),
    numeric("How many ", "units", {}, "empty: as many as all traffic of this hour needs"),
    numeric("Wait at most, minutes ", "minutes", { min: 0, value: 15 }, "they are kept whether or not they are ready by then"),
  ];
  const wanted = (form) => ({ lane: form.elements.lane.value, units: Number(form.elements.units.value) || null });
  fill("Prewarm: which lane?", parts, [
    ["Show what it raises", (form) => look(told, post, wanted(form), Math.round(60 * Number(form.elements.minutes.value)))],
    ["Release instead…", (form) => lookAtRelease(told, post, form.elements.lane.value), "plain"],
  ]);
}

async function look(told, post, asked, wait_s) {
  const its = await post("prewarm-plan", asked);
  if (its.error) return its.error;
  const facts = [
    ["raises", its.words],
    ["why", its.why],
    ["ready", number(its.ready)],
    ["at most", `the lane may have ${number(its.most)}`],
    ["waits", `${span(wait_s)} at most, until ${number(its.units)} are ready`],
    ["kept", "until they are released, or the next deployment that changes the group"],
  ];
  const list = make("dl", { class: "plan" }, ...facts.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))));
  const body = (form) => ({ lane: its.lane, units: its.units, wait_s, typed: typedIn(form) });
  const again = ["Change…", async () => askPrewarm(told, post), "plain"];
  const command = asCommand(told, `prewarm ${its.lane} --units ${its.units} --wait-s ${wait_s}`);
  fill("Prewarm", [list, command, ...nameField(told)], [["Prewarm", (form) => order("prewarm", body(form), "Prewarm"), "danger"], again]);
  return "";
}

async function lookAtRelease(told, post, lane) {
  const its = await post("prewarm-plan", { lane, release: true });
  if (its.error) return its.error.replace("--release: for", "release: there is one for");
  const parts = [
    make("p", {}, `The ${lane} lane keeps ${number(its.floor)} at least. Released, it keeps ${number(its.released)}, as its template has it, and follows its load from there up.`),
    make("p", {}, "Its own scaling then takes away what is idle."),
    asCommand(told, `prewarm ${lane} --release`),
    ...nameField(told),
  ];
  const act = (form) => order("prewarm", { lane, release: true, typed: typedIn(form) }, "Release");
  fill("Release", parts, [["Release", act, "danger"]]);
  return "";
}

/** In the lane's card: how many are ready of those that this console asked for, and until when it waits. */
export function drawReadying(told, now) {
  const its = told.prewarm;
  for (const card of document.querySelectorAll("[data-lane]")) {
    const box = card.querySelector(".readying"),
      mine = its && its.lane === card.dataset.lane;
    box.hidden = !mine;
    if (!mine) continue;
    const [line, left] = [box.querySelector("p"), box.querySelector("small")],
      bar = box.querySelector("progress");
    setText(
      line,
      its.running ? `Prewarm: ${number(its.ready)} of ${number(its.units)} ${its.kind} ready` : `Prewarm: ${its.well ? "✓ " : ""}${its.said}`,
    );
    line.className = its.running ? "" : its.well ? "good" : "warn";
    bar.hidden = left.hidden = !its.running;
    bar.max = its.units;
    bar.value = Math.min(its.ready ?? 0, its.units);
    setText(left, `waits until ${clock(its.until)}, ${span(its.until - now)} more`);
  }
}
