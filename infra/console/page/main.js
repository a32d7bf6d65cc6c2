// The page: shows its key, listens, draws what is seen, and says loudly when it hears nothing.
"use strict";
import { drawCharts } from "./charts.js";
import { confirm, sendWith } from "./dialogs.js";
import { drawHistory } from "./history.js";
import { byId, clock, make, setText, span } from "./parts.js";
import { ask, back } from "./plan.js";
import { alertsOf, drawFindings, drawHeader, drawLanes, drawTraffic } from "./stage.js";
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
  drawHistory(told);
  drawButtons(told, Boolean(key), ended);
  tick();
}

function drawAges() {
  const usual = {
    weights: told.console.pace.look_s,
    record: told.console.pace.look_s,
    figures: told.console.pace.figures_s,
    findings: told.console.pace.stacks_s,
    history: told.console.pace.figures_s,
  };
  for (const element of document.querySelectorAll("[data-piece]")) {
    const name = element.dataset.piece,
      piece = told.pieces[name];
    const age = piece.seen_at === null ? Infinity : now() - piece.seen_at,
      old = age > 2 * usual[name] + 5 || piece.wrong;
    setText(
      element,
      piece.seen_at === null
        ? `not known${piece.wrong ? `: ${piece.wrong}` : ""}`
        : old
          ? `${span(age)} OLD${piece.wrong ? `: ${piece.wrong}` : ""}`
          : `as of ${clock(piece.seen_at)}`,
    );
    element.classList.toggle("bad", Boolean(old));
  }
}

function drawAlerts(found) {
  const box = byId("alerts"),
    before = new Map([...box.children].map((each) => [each.dataset.key, each]));
  for (const [name, text, kind] of found) {
    const element = before.get(name) ?? make("p", { "data-key": name });
    element.className = kind;
    setText(element, text);
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
  setText(
    byId("link"),
    shut ? "closed" : ended ? "ended" : lost ? `lost ${span(silent)} ago` : told ? `live, ${clock(now())}` : "looking…",
  );
  byId("link").className = lost || ended || shut ? "bad" : "good";
  drawAlerts(found);
  if (told) {
    drawAges();
    drawSwitch(told, now());
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
