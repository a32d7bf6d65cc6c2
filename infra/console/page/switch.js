// The switch that is under way, or the last one: who, why, which step, what it waits for, and which commands there are.
"use strict";
import { byId, clock, isKnown, make, moment, rows, setText, span } from "./parts.js";

const MARKS = { gone: "✓", now: "●", ahead: "○", left: "↩" };
const SAYS = { gone: "done", now: "now", ahead: "ahead", left: "gone back from" };
const TAIL = ["cool", "scale-down", "release"];

export const running = (told) => Boolean(told.switch && !told.switch.ended);

export function drawSwitch(told, now) {
  const its = told.switch;
  headline(told, now);
  const steps = byId("steps");
  steps.hidden = !its;
  if (its) steps.replaceChildren(...stations(its).map(([name, below, state]) => station(name, below, state)));
  const waits = byId("waits");
  waits.hidden = !(its && its.waits);
  if (its && its.waits) waiting(waits, its.waits, now);
  rows(byId("about"), its ? about(its, now) : []);
  const said = [
    ...told.driving.notes.map((note) => note.text),
    ...(told.driving.end && told.driving.end !== "done" && !told.driving.running ? [told.driving.end] : []),
  ];
  byId("notes").replaceChildren(...said.map((text) => make("li", { class: "warn" }, text)));
}

function headline(told, now) {
  const its = told.switch,
    line = byId("headline");
  if (!its) return setText(line, told.switch_known ? "No switch yet." : "–");
  if (!its.ended) return setText(line, `To ${its.goal_words}: ${its.at}${its.wish === "go-on" ? "" : `, ${its.wish} asked`}`);
  const outcome = { done: "✓ done", "rolled-back": "↩ rolled back", refused: "✗ refused" }[its.phase];
  return setText(line, `${outcome}, ${span(now - its.since)} ago: to ${its.goal_words}${its.reason ? `. ${its.reason}` : ""}`);
}

/** Every station of the way: [name, below it, state]. */
function stations(its) {
  const back = its.steps.some((step) => step.state === "left") || its.phase === "roll-back" || its.phase === "rolled-back";
  const after = TAIL.includes(its.phase) ? "now" : its.phase === "done" ? "gone" : "ahead";
  const prewarm = its.phase === "prewarm" ? "now" : its.phase === "refused" ? "left" : "gone";
  const end = back
    ? ["back", its.rollback_to, its.ended ? "gone" : "now"]
    : [
        its.phase === "refused" ? "refused" : TAIL.includes(its.phase) ? its.phase : "settle",
        `${its.falling} quiet`,
        its.phase === "refused" ? "left" : after,
      ];
  return [
    ["prewarm", `${its.rising} lane`, prewarm],
    ...its.steps.map((step) => [`${step.percent}%`, step.weights, step.state]),
    end,
  ];
}

function station(name, below, state) {
  return make(
    "li",
    { class: state, "aria-current": state === "now" ? "step" : undefined },
    make("span", { class: "dot", role: "img", "aria-label": SAYS[state] }, MARKS[state]),
    make("b", {}, name),
    make("small", { class: "dim" }, below || ""),
  );
}

function waiting(line, waits, now) {
  const limit = isKnown(waits.by) ? `; at most ${span(waits.by - now)} more` : "";
  setText(line, `${waits.held ? "Held by an operator, and else waits" : "Waits"} for ${waits.what}${limit}`);
  line.className = waits.health === "sick" ? "bad" : waits.held ? "warn" : "";
}

function about(its, now) {
  const lease = its.driven
    ? `at work; its lease runs ${span(its.lease_until - now)} more`
    : `GONE: its lease ended ${span(now - its.lease_until)} ago`;
  const who = its.ended ? its.owner : `${its.owner}, ${lease}`;
  const told = [
    [its.ended ? "who" : "driver", who, !its.ended && !its.driven ? "bad" : ""],
    ["why", its.why],
    ["began", `${moment(its.started)}, ${span(now - its.started)} ago, from ${its.start_words}`],
  ];
  if (!its.ended) told.push(["this phase", `since ${clock(its.since)}, ${span(now - its.since)}`]);
  if (its.forced.length) told.push(["forced over", its.forced.join("; "), "warn"]);
  return told;
}

/** What each button may do now: null for yes, else why not. */
function against(told) {
  const its = told.switch,
    under = running(told);
  const none = under ? null : "there is no unfinished switch";
  return {
    plan: null,
    back: under ? "a switch is under way: abort it" : its && its.can_roll_back ? null : "there is no switch to go back from",
    pause: none ?? (its.wish === "pause" ? "it is held already" : null),
    resume: none ?? (told.driving.running && its.driven && its.wish !== "pause" ? "this console is driving it" : null),
    promote: none,
    abort: none ?? (its.wish === "abort" || its.phase === "roll-back" ? "it is going back already" : null),
  };
}

const WRITES = ["back", "pause", "resume", "promote", "abort"];

export function drawButtons(told, mayWrite, ended) {
  const why = against(told),
    under = running(told);
  for (const button of document.querySelectorAll("[data-command]")) {
    const command = button.dataset.command,
      writes = WRITES.includes(command);
    button.hidden =
      (writes && told.console.read_only) ||
      (["pause", "resume", "promote", "abort"].includes(command) && !under) ||
      (command === "back" && under);
    button.disabled = Boolean(why[command]) || !mayWrite || ended;
    button.title = why[command] || "";
    if (command === "promote" && under) setText(button, told.switch.phase === "gate" ? "Over the gate…" : "Promote…");
    if (command === "plan") setText(button, told.console.read_only || under ? "Plan…" : "Switch…");
    if (command === "resume" && under)
      setText(button, its(told).wish === "pause" || !its(told).driven || told.driving.running ? "Resume…" : "Take over…");
  }
  setText(byId("buttons-note"), mayWrite ? "" : "Only watching: the URL that the console printed has the key for the buttons.");
}

const its = (told) => told.switch;
