// The plan before the switch: what is asked for, what would happen, what is against it, and only then the button that moves traffic.
"use strict";
import { fill, nameField, order, typedIn } from "./dialogs.js";
import { make } from "./parts.js";
import { running } from "./switch.js";

const SETTINGS = { placeholder: "those of the stage's settings" };
const words = (text) => text.split(/\s+/).filter(Boolean);

/** A number, nothing, or what was typed instead, which the console then refuses. */
function optional(text) {
  if (text.trim() === "") return null;
  return Number.isFinite(Number(text)) ? Number(text) : text;
}

function field(label, name, attributes = {}, hint = "") {
  return make(
    "label",
    {},
    label,
    make("input", { name, autocomplete: "off", ...attributes }),
    hint ? make("small", { class: "dim" }, hint) : "",
  );
}

function choice(value, label, checked) {
  return make("label", { class: "choice" }, make("input", { type: "radio", name: "goal", value, checked }), label);
}

/** Ask for a goal and the options of `crossover switch`. */
export function ask(told, post) {
  const most = told.split && told.split.lambda === 1 ? "container" : "lambda";
  const goal = make(
    "fieldset",
    {},
    make("legend", {}, "Where traffic goes"),
    choice("lambda", "all to Lambda", most === "lambda"),
    choice("container", "all to containers", most === "container"),
    make(
      "div",
      { class: "choice" },
      choice("split", "split:", false),
      make("input", { name: "split", type: "number", min: 0, max: 100, value: 50, "aria-label": "% on Lambda" }),
      "% on Lambda",
    ),
  );
  goal.querySelector("[name=split]").addEventListener("input", () => {
    goal.querySelector("[value=split]").checked = true;
  });
  const more = make(
    "details",
    {},
    make("summary", {}, "Options"),
    make(
      "div",
      { class: "options" },
      field("Steps, percent of the way", "steps", { value: "1,5,25,50,100" }),
      field("Shortest time at each step, s", "bake_s", { inputmode: "decimal", placeholder: "60" }),
      field("Instances or environments to have ready", "units", {
        inputmode: "numeric",
        placeholder: "as many as the load needs",
      }),
      field("Size of the old lane at the end", "standby", { inputmode: "numeric", placeholder: "its minimum" }),
      field("Old lane must be quiet for, s", "quiet_s", { inputmode: "decimal", value: "120" }),
      field("Limits", "limits", { placeholder: "error_percent=5 min_samples=50" }, "NAME=VALUE, with spaces between"),
      field("What to ask of the target lane first", "smoke_path", { placeholder: "a search a month ahead" }),
      field("Gates, asked before each step", "gates", SETTINGS, "with spaces between; none asks nobody"),
      field("Hooks, called after each step", "hooks", SETTINGS),
      field("Told", "notify", SETTINGS),
      make(
        "label",
        { class: "choice" },
        make("input", { type: "checkbox", name: "skew" }),
        "although the lanes run different bundles",
      ),
    ),
  );
  fill(
    running(told) || told.console.read_only ? "Plan: where to?" : "Switch: where to?",
    [goal, more],
    [["Show the plan", (form) => plan(told, post, wanted(form))]],
  );
}

function wanted(form) {
  const its = form.elements;
  const share = its.split.value.trim();
  const goal = its.goal.value === "split" ? `split ${share}/${100 - Number(share)}` : its.goal.value;
  return {
    goal,
    steps: its.steps.value,
    bake_s: optional(its.bake_s.value),
    units: optional(its.units.value),
    standby: optional(its.standby.value),
    quiet_s: optional(its.quiet_s.value) ?? 120,
    limits: words(its.limits.value),
    smoke_path: its.smoke_path.value || null,
    gates: words(its.gates.value),
    hooks: words(its.hooks.value),
    notify: words(its.notify.value),
    allow_version_skew: its.skew.checked,
  };
}

export const back = (told, post) => plan(told, post, { back: true });

/** Have the plan made, and show it. */
async function plan(told, post, asked) {
  if (asked.back) fill("Roll back", [make("p", { role: "status" }, "Looking at both lanes…")], []);
  const proposal = await post("plan", asked);
  if (proposal.error && asked.back) fill("Roll back", [make("p", { class: "bad", role: "alert" }, proposal.error)], []);
  if (proposal.error) return proposal.error;
  if (!proposal.proposal) {
    fill("Nothing to do", [make("p", { role: "status" }, `Traffic is split so already: ${proposal.goal}`)], []);
    return "";
  }
  show(told, proposal, asked.back);
  return "";
}

function show(told, proposal, isBack) {
  const its = proposal.plan,
    limits = its.limits;
  const need = its.need ? `${its.need.units} ${proposal.units}: ${its.need.why}` : "not known";
  const lag = limits.loop_lag_ms === null ? "" : `, loop lag ≤ ${limits.loop_lag_ms} ms`;
  const steps = [
    ["prewarm", `${its.rising} lane, ${need}`],
    ...its.steps.map((step, index) => [`${step.percent}%`, `${proposal.steps[index]}, ${limits.bake_s} s at least`]),
    [
      "each",
      `errors ≤ ${limits.error_percent}%, p99 ≤ ${limits.p99_ms} ms${lag}, not worse than the other lane, on ${limits.min_samples} requests; up to ${limits.max_bake_s} s, else back`,
    ],
  ];
  if (its.standby !== null)
    steps.push(["at last", `${its.falling} lane down to ${its.standby} once it is quiet for ${its.quiet_s} s`]);
  const callouts = its.callouts;
  if (callouts.gates.length) steps.push(["gates", `${callouts.gates.join(", ")} before each step, which waits up to ${callouts.hold_s} s`]);
  if (callouts.hooks.length) steps.push(["hooks", `${callouts.hooks.join(", ")} after each step`]);
  if (callouts.notify.length) steps.push(["told", callouts.notify.join(", ")]);
  const parts = [
    make("p", {}, make("b", {}, told.stage), `: ${proposal.start} → `, make("b", {}, proposal.goal)),
    make("dl", { class: "plan" }, ...steps.map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text)))),
  ];
  for (const warning of proposal.warnings) parts.push(make("p", { class: "warn" }, warning));
  if (proposal.refusals.length) parts.push(against(proposal));
  if (told.console.read_only || running(told)) {
    const why = running(told) ? `${told.switch.owner} is switching, at ${told.switch.at}.` : "This console is read-only.";
    fill("The plan", [...parts, make("p", { class: "dim" }, why)], []);
    return;
  }
  const may = proposal.refusals.length === 0 || proposal.forcible;
  if (!may) {
    fill("The plan would be refused", parts, []);
    return;
  }
  parts.push(
    make("p", {}, `This moves live traffic to ${proposal.goal}.`),
    make("label", {}, "Why, for the history", make("input", { name: "why", autocomplete: "off", maxlength: 2000 })),
    ...nameField(told),
  );
  const begin = (form) =>
    order(
      "switch",
      {
        proposal: proposal.proposal,
        why: form.elements.why.value,
        typed: typedIn(form),
        force: Boolean(form.elements.force?.checked),
        reason: form.elements.reason?.value ?? "",
      },
      "The switch has begun",
    );
  fill(isBack ? "Roll back" : "The plan", parts, [["Move traffic", begin, "danger"]]);
}

/** What is against it, and where force helps: the box to tick, and the reason that then stands in the history. */
function against(proposal) {
  const list = make(
    "ul",
    { id: "against" },
    ...proposal.refusals.map((each) =>
      make(
        "li",
        {},
        make("b", { class: "bad" }, `✗ ${each.check}`),
        `: ${each.seen}; ${each.right}${each.forcible ? "" : " (force does not help)"}`,
      ),
    ),
  );
  if (!proposal.forcible) return list;
  return make(
    "fieldset",
    { class: "force" },
    make("legend", {}, "Against it"),
    list,
    make("label", { class: "choice" }, make("input", { type: "checkbox", name: "force" }), "Force: go over it"),
    make("label", {}, "Why it is gone over", make("input", { name: "reason", autocomplete: "off", maxlength: 2000 })),
  );
}
