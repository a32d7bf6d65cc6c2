// The page: shows its key, listens, draws what is seen, and says loudly when it hears nothing.
"use strict";
import { drawCharts } from "./charts.js";
import { confirm, sendWith } from "./dialogs.js";
import { drawHistory } from "./history.js";
import { byId, clock, make, redraw, setText, span, withCommands } from "./parts.js";
import { ask, back } from "./plan.js";
import { askPrewarm, drawReadying } from "./prewarm.js";
import { confirmSchedule, drawSchedule } from "./schedule.js";
import { alertsOf, drawFindings, drawHeader, drawLanes, drawTraffic, isBlind } from "./stage.js";
import { drawButtons, drawSwitch } from "./switch.js";

const LOST_S = 7,
  FIRST = ["shut", "ended", "lost"];
let told = null,
  heard = performance.now(),
  seenAt = performance.now(),
  ended = false,
  shut = "";

/** The key comes in the address, is taken out of it at once, and stays with this tab. */
function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get("key");
  if (given) {
    sessionStorage.setItem("key", given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem("key");
}
let key = takeKey();

async function send(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Crossover-Key": key || "" },
    body: JSON.stringify(body),
  });
  return answer.headers.get("Content-Type")?.startsWith("application/json") ? answer.json() : { error: await answer.text() };
}
const post = (command, body) => send(`/do/${command}`, body);
sendWith(post);

/** Seconds since 1970 by the stage's clock. */
const now = () => (told ? told.at + (performance.now() - seenAt) / 1000 : 0);

function draw() {
  drawHeader(told);
  drawTraffic(told);
  drawLanes(told);
  drawCharts(
    byId("charts"),
    told.timeline,
    (told.history || []).filter((event) => event.phase === "shift" || event.phase === "roll-back").map((event) => event.at),
  );
  drawFindings(told);
  drawSchedule(told);
  drawHistory(told);
  drawButtons(told, Boolean(key), ended);
  tick();
}

/** How old each part is; of one that is drawn from several pieces, by the one that is worst off. */
function drawAges() {
  const pace = told.console.pace,
    often = { weights: pace.look_s, record: pace.look_s, findings: pace.stacks_s, schedule: pace.stacks_s };
  for (const element of document.querySelectorAll("[data-piece]")) {
    const pieces = element.dataset.piece.split(" ").map((name) => ({ name, ...told.pieces[name] }));
    const badness = (piece) => (piece.seen_at === null ? Infinity : (piece.wrong ? 1e9 : 0) - piece.seen_at);
    const piece = pieces.reduce((worst, each) => (badness(each) > badness(worst) ? each : worst));
    const known = piece.seen_at !== null,
      age = known ? now() - piece.seen_at : Infinity,
      old = !known || age > 2 * (often[piece.name] ?? pace.figures_s) + 5 || piece.wrong,
      why = piece.wrong && !isBlind(told) ? `: ${piece.wrong}` : ""; // else it stands above, once
    setText(element, known ? (old ? `${span(age)} OLD${why}` : `as of ${clock(piece.seen_at)}`) : `not known${why}`);
    element.classList.toggle("bad", Boolean(old));
  }
}

function drawAlerts(found) {
  const box = byId("alerts"),
    before = new Map([...box.children].map((each) => [each.dataset.key, each]));
  for (const [name, text, kind] of found) {
    const element = before.get(name) ?? make("p", { "data-key": name });
    element.className = kind;
    redraw(element, text, () => withCommands(text));
    before.delete(name);
    if (!element.parentNode && FIRST.includes(name)) box.prepend(element);
    else if (!element.parentNode) box.append(element);
  }
  for (const gone of before.values()) gone.remove();
}

/** Each second: ages grow, and silence is noticed. */
function tick() {
  const silent = (performance.now() - heard) / 1000,
    lost = !ended && !shut && silent > LOST_S;
  const found = told ? alertsOf(told) : [];
  const goesOn = told && told.switch && !told.switch.ended ? " The switch goes on in its driver." : "";
  if (shut) found.unshift(["shut", shut, "bad"]);
  else if (ended)
    found.unshift([
      "ended",
      "THE CONSOLE HAS ENDED: what stands here is old. A switch that it drove has been let go: `crossover resume` goes on, `crossover abort` goes back.",
      "bad",
    ]);
  else if (lost)
    found.unshift(["lost", `CONNECTION LOST: nothing heard of the console, what stands here is old.${goesOn}`, "bad"]);
  document.body.classList.toggle("lost", lost || ended || Boolean(shut));
  const blind = told && isBlind(told);
  setText(byId("link"), shut ? "closed" : ended ? "ended" : lost ? "lost" : blind ? "AWS not seen" : told ? "live" : "looking…");
  // Apart, so that a screen reader is not told the time each second.
  setText(byId("clock"), shut || ended ? "" : lost ? ` ${span(silent)} ago` : told ? `, ${clock(now())}` : "");
  byId("state").className = lost || ended || shut || blind ? "bad" : "good";
  drawAlerts(found);
  if (told) {
    drawAges();
    drawSwitch(told, now());
    drawReadying(told, now());
  }
}

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("seen", (event) => {
    told = JSON.parse(event.data);
    heard = seenAt = performance.now();
    draw();
  });
  events.addEventListener("pulse", () => {
    heard = performance.now();
  });
  events.addEventListener("end", () => {
    ended = true;
    events.close();
    if (told) draw();
    else tick();
  });
  events.addEventListener("error", () => {
    if (events.readyState === EventSource.CLOSED && !ended) {
      shut = "This page may not look: open the URL that the console printed when it started.";
      tick();
    }
  });
}

for (const button of document.querySelectorAll("[data-command]")) {
  button.addEventListener("click", () => {
    const command = button.dataset.command;
    if (!told) return;
    if (command === "plan") ask(told, post);
    else if (command === "back") back(told, post);
    else if (command === "prewarm") askPrewarm(told, post);
    else if (command === "hold" || command === "let") confirmSchedule(told, command === "let");
    else confirm(command, told);
  });
}

async function begin() {
  if (key) {
    const answer = await send("/session", {}).catch(() => ({ error: "" }));
    if (answer.error) {
      sessionStorage.removeItem("key");
      key = null;
    }
  }
  listen();
}
setInterval(tick, 1000);
begin();
