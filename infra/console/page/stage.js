// How traffic is split, how both lanes are, and what doctor finds.
"use strict";
import { byId, clock, isKnown, make, number, percent, redraw, rows, setText, withCommands, withUnit } from "./parts.js";

export function drawHeader(told) {
  document.title = `${told.stage}: ${told.split ? `${percent(told.split.lambda)} Lambda, ${percent(told.split.container)} container` : "–"}`;
  setText(byId("stage"), told.stage);
  setText(byId("place"), `${told.region}, account ${told.account || "–"}`);
  byId("production").hidden = !told.production;
  byId("read-only").hidden = !told.console.read_only;
}

function goalShare(weights) {
  const [lambda, container] = weights.split(":").map(Number);
  return lambda / (lambda + container);
}

export function drawTraffic(told) {
  const split = told.split,
    bar = byId("split");
  for (const lane of ["lambda", "container"]) {
    setText(byId(`share-${lane}`), split ? percent(split[lane]) : "–");
    bar.querySelector(`.${lane}`).style.width = split ? `${100 * split[lane]}%` : "0";
  }
  bar.classList.toggle("unknown", !split);
  const moving = told.switch && !told.switch.ended;
  const goal = bar.querySelector(".goal");
  goal.hidden = !moving;
  if (moving) goal.style.left = `${Math.min(99.7, Math.max(0.3, 100 * goalShare(told.switch.goal)))}%`;
  const says = split ? `Lambda ${percent(split.lambda)}, container ${percent(split.container)}` : "the split is not known";
  bar.setAttribute("aria-label", moving ? `${says}; the goal is ${told.switch.goal_words}` : says);
  const places = byId("places");
  const agree = told.agree === null ? "whether they agree is not known" : told.agree ? "✓ they agree" : "✗ THEY DIFFER";
  setText(
    places,
    `rule ${told.rule ?? "–"}, parameter ${told.parameter ?? "–"} (lambda:container): ${agree}${moving ? `; the dotted line is the goal` : ""}`,
  );
  places.className = told.agree === false && !moving ? "bad" : "dim";
}

const ALARMS = {
  OK: ["✓ alarm quiet", "good"],
  ALARM: ["✗ ALARM: something is wrong with this lane", "bad"],
  INSUFFICIENT_DATA: ["? alarm has too little data", "warn"],
};

export function drawLanes(told) {
  for (const card of document.querySelectorAll("[data-lane]")) {
    const lane = card.dataset.lane,
      its = told.lanes[lane] || {},
      own = lane === "lambda";
    const [says, kind] = ALARMS[told.alarms[lane]] || ["alarm: –", "dim"];
    const alarm = card.querySelector(".alarm");
    setText(alarm, says);
    alarm.className = `alarm ${kind}`;
    const share = its.requests && isKnown(its.errors) ? (100 * its.errors) / its.requests : null;
    const lately = minutesOf(told);
    rows(card.querySelector("dl"), [
      ["requests/s", isKnown(its.requests) && lately ? number(its.requests / (60 * lately), 1) : "–"],
      ["errors", share === null ? "–" : `${number(share, 2)}% (${number(its.errors)})`],
      ["p99", withUnit(its.p99_ms, " ms")],
      own ? ["throttles", number(its.throttled)] : ["loop lag p99", withUnit(its.loop_lag_ms, " ms", 1)],
      [own ? (told.floors.lambda ? "started ahead" : "may run at once") : "healthy and in service", number(its.ready)],
      ["keeps at least", number(told.floors[lane])],
    ]);
  }
}

/** How many of the last minutes CloudWatch has told. */
function minutesOf(told) {
  return (told.timeline ? told.timeline.minutes : []).filter((minute) => minute >= told.at - told.recent_s).length;
}

export function drawFindings(told) {
  redraw(byId("findings"), told.findings, () => {
    if (told.findings === null) return [make("li", { class: "dim" }, "–")];
    if (told.findings.length === 0) return [make("li", { class: "good" }, "✓ parameter, rule, record and template agree")];
    return told.findings.map((each) =>
      make("li", {}, make("b", { class: "bad" }, `✗ ${each.what}`), make("div", {}, "mend: ", ...withCommands(each.mend))),
    );
  });
}

/** Neither record nor weights can be asked: all that is shown is old. */
export const isBlind = (told) => Boolean(told.pieces.record.wrong && told.pieces.weights.wrong);

/** What must not be overlooked, as [key, text, kind]. */
export function alertsOf(told) {
  const found = [],
    its = told.switch,
    where = its && !its.ended;
  const silent = ["record", "weights", "stacks"].map((name) => told.pieces[name]).find((piece) => piece.wrong);
  if (silent) {
    const says = silent.refused ? "AWS refuses what this console asks" : "AWS does not answer";
    const seen = Math.max(...["record", "weights"].map((name) => told.pieces[name].seen_at ?? 0));
    const old = seen ? `what is below is of ${clock(seen)} and older` : "nothing is known";
    found.push(["aws", `${says}, ${old}: ${silent.wrong}. It goes on looking.`, "bad"]);
  }
  if (where && !its.driven && told.pieces.record.wrong)
    found.push(["unsure", `Whether ${its.owner} still drives the switch is not known: the record cannot be read.`, "warn"]);
  else if (where && !its.driven)
    found.push([
      "gone",
      `NOBODY DRIVES THE SWITCH: ${its.owner} is gone, it stands at ${its.at}. Resume goes on, abort goes back; nothing is on a timer.`,
      "bad",
    ]);
  for (const lane of ["lambda", "container"])
    if (told.alarms[lane] === "ALARM")
      found.push([`alarm-${lane}`, `The ${lane} lane's alarm fires: docs/runbooks/${lane}.md`, "bad"]);
  if (told.agree === false && !where)
    found.push([
      "differ",
      `The rule holds ${told.rule}, the parameter ${told.parameter}, which the next deployment writes into the rule: see Doctor below.`,
      "bad",
    ]);
  if (told.deploying.length) found.push(["deploying", `Being deployed: ${told.deploying.join(", ")}`, "warn"]);
  return found;
}
