// The switch that is under way, or the last one: who, why, which step, what it waits for, and which commands there are.
"use strict";
import { byId, clock, isKnown, make, moment, redraw, rows, setText, span } from "./parts.js";

const MARKS = { gone: "✓", now: "●", held: "‖", ahead: "○", left: "↩" };
const SAYS = { gone: "done", now: "now", held: "held here", ahead: "ahead", left: "gone back from" };
const TAIL = ["cool", "scale-down", "release"];

export const running = (told) => Boolean(told.switch && !told.switch.ended);

export function drawSwitch(told, now) {
  const its = told.switch;
  headline(told, now);
  const steps = byId("steps");
  steps.hidden = !its;
  const way = its ? stations(its).map(([name, below, state]) => [name, below, state === "now" && its.waits?.held ? "held" : state]) : [];
  redraw(steps, way, () => way.map(([name, below, state]) => station(name, below, state)));
  const waits = byId("waits");
  waits.hidden = !(its && its.waits);
  if (its && its.waits) waiting(waits, its.waits, its.driven || told.pieces.record.wrong, now);
  awaited(told, now);
  rows(byId("about"), its ? about(its, now, !told.pieces.record.wrong) : []);
  const said = [
    ...told.driving.notes.map((note) => note.text),
    ...(told.driving.end && told.driving.end !== "done" && !told.driving.running ? [told.driving.end] : []),
  ];
  redraw(byId("notes"), said, () => said.map((text) => make("li", { class: "warn" }, text)));
}

/** An abort of this console's, whose driver may be gone: what is waited for, and until when. */
function awaited(told, now) {
  const line = byId("awaited"),
    waits = told.driving.waits;
  line.hidden = !waits;
  if (waits)
    setText(
      line,
      `Abort asked: this console waits for ${waits.owner} to go back, until ${clock(waits.until)} (${span(waits.until - now)} more), and then goes back itself. Take over does not wait.`,
    );
}

function headline(told, now) {
  const its = told.switch,
    line = byId("headline");
  if (!its) return setText(line, told.switch_known ? "No switch yet." : "–");
  if (!its.ended) {
    const asked = its.waits?.held ? ", HELD BY AN OPERATOR" : its.wish === "go-on" ? "" : `, ${its.wish} asked`;
    const says = `To ${its.goal_words}: ${its.at}${asked}`;
    setText(byId("spoken"), says);
    return setText(line, says);
  }
  const outcome = {
    done: `✓ done: ${its.goal_words}`,
    "rolled-back": `↩ rolled back to ${its.rollback_words ?? "–"}`,
    refused: `✗ refused: ${its.goal_words}`,
  }[its.phase];
  const why = its.reason ? `. ${its.reason}` : "";
  setText(byId("spoken"), `${outcome}${why}`);
  return setText(line, `${outcome}, ${span(now - its.since)} ago${why}`);
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
    { class: state, "aria-current": state === "now" || state === "held" ? "step" : undefined },
    make("span", { class: "dot", role: "img", "aria-label": SAYS[state] }, MARKS[state]),
    make("b", {}, name),
    make("small", { class: "dim" }, below || ""),
  );
}

function waiting(line, waits, driven, now) {
  const limit = driven && isKnown(waits.by) ? `; at most ${span(waits.by - now)} more` : "";
  const still = driven ? "Waits" : "Stands still. Resumed, it waits";
  const held = waits.held ? "Stays here until it is resumed, promoted or aborted. Else it waits" : still;
  setText(line, `${held} for ${waits.what}${limit}`);
  line.className = waits.health === "sick" ? "bad" : waits.held ? "warn" : "";
}

function about(its, now, sure) {
  const left = its.driven ? `runs ${span(its.lease_until - now)} more` : `ended ${span(now - its.lease_until)} ago`;
  const lease = sure ? `${its.driven ? "at work; its" : "GONE: its"} lease ${left}` : `as last seen: its lease ${left} unless it was renewed`;
  const who = its.ended ? its.owner : `${its.owner}, ${lease}`;
  const told = [
    [its.ended ? "who" : "driver", who, sure && !its.ended && !its.driven ? "bad" : ""],
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
  const back = its && its.driven && (its.wish === "abort" || its.phase === "roll-back");
  const due = told.scheduled || [];
  return {
    plan: null,
    back: under ? "a switch is under way: abort it" : its && its.can_roll_back ? null : "there is no switch to go back from",
    prewarm: under ? "the switch sees to its lanes by itself" : null,
    pause: none ?? (its.wish === "pause" ? "it is held already" : null),
    resume: none ?? (told.driving.running && its.driven && its.wish !== "pause" ? "this console is driving it" : null),
    promote: none,
    abort: none ?? (back ? "it is going back already" : null),
    hold: due.some((each) => each.to && each.state === "enabled") ? null : "none is due",
    let: due.some((each) => each.to && each.state !== "enabled") ? null : "none is paused",
  };
}

const READS = ["plan"],
  UNDER_WAY = ["pause", "resume", "promote", "abort"],
  AT_REST = ["back", "prewarm"];

export function drawButtons(told, mayWrite, ended) {
  const why = against(told),
    under = running(told);
  for (const button of document.querySelectorAll("[data-command]")) {
    const command = button.dataset.command;
    button.hidden =
      (told.console.read_only && !READS.includes(command)) ||
      (!under && UNDER_WAY.includes(command)) ||
      (under && AT_REST.includes(command));
    button.disabled = Boolean(why[command]) || !mayWrite || ended;
    button.title = why[command] || "";
    if (command === "promote" && under) setText(button, told.switch.phase === "gate" ? "Over the gate…" : "Promote…");
    if (command === "plan") setText(button, told.console.read_only || under ? "Plan…" : "Switch…");
    if (command === "resume" && under) setText(button, resumes(told) ? "Resume…" : "Take over…");
  }
  byId("schedule-buttons").hidden = told.console.read_only || !(told.scheduled || []).length;
  setText(byId("buttons-note"), mayWrite ? "" : "Only watching: the URL that the console printed has the key for the buttons.");
}

const resumes = (told) => told.switch.wish === "pause" || !told.switch.driven || told.driving.running;
