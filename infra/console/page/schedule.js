// The scheduled switches: when traffic will move though nobody asks for it, and how to hold that.
"use strict";
import { asCommand, fill, order } from "./dialogs.js";
import { byId, make, redraw } from "./parts.js";

const dollars = (text) => `$${Number(text).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} a month`;

/** As its own zone's clock shows it, with the zone. */
const due = (each) => `${each.next.slice(0, 16).replace("T", " ")} ${each.timezone}`;

export function drawSchedule(told) {
  redraw(byId("scheduled"), told.scheduled, () => {
    if (told.scheduled === null) return [make("li", { class: "dim" }, "–")];
    if (told.scheduled.length === 0) return [make("li", { class: "dim" }, "None: traffic moves only when somebody moves it.")];
    return told.scheduled.map((each) =>
      make(
        "li",
        {},
        each.next ? make("b", {}, due(each)) : make("b", { class: "warn" }, each.state === "enabled" ? each.expression : "paused"),
        each.to ? `: to ${each.to} ` : ": not this tool's ",
        make("small", { class: "dim" }, `${each.name}${each.saves_usd_per_month ? `, saves ${dollars(each.saves_usd_per_month)}` : ""}`),
      ),
    );
  });
}

/** As `crossover schedule pause` and `resume` without names. */
export function confirmSchedule(told, on) {
  const title = on ? "Resume scheduled switches" : "Pause scheduled switches";
  const says = on
    ? "All scheduled switches happen again. What was due meanwhile is not made up for."
    : "No scheduled switch begins until they are resumed. One that is under way goes on.";
  const act = () => order("schedule", { on }, title);
  const parts = [make("p", {}, says), asCommand(told, `schedule ${on ? "resume" : "pause"}`)];
  fill(title, parts, [[on ? "Resume all" : "Pause all", act, ""]]);
}
