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

/** `option` is what the command calls it, which is how refusals speak of it. */
function field(label, option, name, attributes = {}, hint = "") {
  return make(
    "label",
    {},
    `${label} `,
    make("code", { class: "dim" }, option),
    make("input", { name, autocomplete: "off", ...attributes }),
    hint ? make("small", { class: "dim" }, hint) : "",
  );
}

function choice(value, label, checked) {
  return make("label", { class: "choice" }, make("input", { type: "radio", name: "goal", value, checked }), label);
}

function goals(told, before) {
  const most = told.split && told.split.lambda === 1 ? "container" : "lambda";
  const [, share] = /^split (\d+)\//.exec(before.goal ?? "") ?? [];
  const chosen = share === undefined ? (before.goal ?? most) : "split";
  const goal = make(
    "fieldset",
    {},
    make("legend", {}, "Where traffic goes"),
    choice("lambda", "all to Lambda", chosen === "lambda"),
    choice("container", "all to containers", chosen === "container"),
    make(
      "div",
      { class: "choice" },
      choice("split", "split:", chosen === "split"),
      make("input", { name: "split", type: "number", min: 0, max: 100, value: share ?? 50, "aria-label": "% on Lambda" }),
      "% on Lambda",
    ),
  );
  goal.querySelector("[name=split]").addEventListener("input", () => {
    goal.querySelector("[value=split]").checked = true;
  });
  return goal;
}

const was = (value) => (Array.isArray(value) ? value.join(" ") : (value ?? ""));

/** The options of `crossover switch`, as they were given before. */
function options(before) {
  const own = (label, option, name, attributes, hint) =>
    field(label, option, name, { ...attributes, value: was(before[name]) || attributes.value }, hint);
  return make(
    "details",
    { open: before.open },
    make("summary", {}, "Options"),
    make(
      "div",
      { class: "options" },
      own("Steps, percent of the way", "--steps", "steps", { value: before.back ? "100" : "1,5,25,50,100" }),
      own("Shortest time at each step, s", "--bake-s", "bake_s", { inputmode: "decimal", placeholder: "60" }),
      own("Instances or environments to have ready", "--units", "units", {
        inputmode: "numeric",
        placeholder: "as many as the load needs",
      }),
      own("Size of the old lane at the end", "--standby", "standby", { inputmode: "numeric", placeholder: "its minimum" }),
      own("Old lane must be quiet for, s", "--quiet-s", "quiet_s", { inputmode: "decimal", value: "120" }),
      own("Limits", "--limit", "limits", { placeholder: "error_percent=5 min_samples=50" }, "NAME=VALUE, with spaces between"),
      own("What to ask of the target lane first", "--smoke-path", "smoke_path", { placeholder: "a search a month ahead" }),
      own("Gates, asked before each step", "--gate", "gates", SETTINGS, "with spaces between; none asks nobody"),
      own("Hooks, called after each step", "--hook", "hooks", SETTINGS),
      own("Told", "--notify", "notify", SETTINGS),
      make(
        "label",
        { class: "choice" },
        make("input", { type: "checkbox", name: "skew", checked: Boolean(before.allow_version_skew) }),
        make("span", {}, "although the lanes run different bundles ", make("code", { class: "dim" }, "--allow-version-skew")),
      ),
    ),
  );
}

/** Ask for a goal and the options; `before` is what was asked for until now. The way back has its goal already. */
export function ask(told, post, before = {}) {
  const title = before.back ? "Roll back: how?" : running(told) || told.console.read_only ? "Plan: where to?" : "Switch: where to?";
  const parts = [...(before.back ? [] : [goals(told, before)]), options(before)];
  fill(title, parts, [["Show the plan", (form) => plan(told, post, wanted(form, before.back))]]);
}

function goalIn(its) {
  const share = its.split.value.trim();
  return its.goal.value === "split" ? `split ${share}/${100 - Number(share)}` : its.goal.value;
}

function wanted(form, back) {
  const its = form.elements;
  return {
    ...(back ? { back: true } : { goal: goalIn(its) }),
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

/** Have the plan made, and show it. What is wrong with what was asked for is said where it was asked. */
async function plan(told, post, asked) {
  const asking = document.querySelector("#dialog [name=steps]");
  if (asked.back && !asking) fill("Roll back", [make("p", { role: "status" }, "Looking at both lanes…")], []);
  const proposal = await post("plan", asked);
  if (proposal.error && asked.back && !asking)
    fill("Roll back", [make("p", { class: "bad", role: "alert" }, proposal.error)], [change(told, post, asked)]);
  if (proposal.error) return proposal.error;
  if (!proposal.proposal) {
    fill("Nothing to do", [make("p", { role: "status" }, `Traffic is split so already: ${proposal.goal}`)], []);
    return "";
  }
  show(told, post, proposal, asked);
  return "";
}

/** Back to what was asked for, with all of it still there. */
const change = (told, post, asked) => ["Change…", async () => ask(told, post, { ...asked, open: true }), "plain"];

function show(told, post, proposal, asked) {
  const its = proposal.plan,
    limits = its.limits;
  const need = its.need ? `${its.need.units} ${proposal.units}: ${its.need.why}` : "not known";
  const lag = limits.loop_lag_ms === null ? "" : `; loop lag ≤ ${limits.loop_lag_ms} ms`;
  const own = its.rising === "container" ? lag : `; throttles ≤ ${limits.throttle_percent}%`;
  const steps = [
    ["prewarm", `${its.rising} lane, ${need}`],
    ...its.steps.map((step, index) => [`${step.percent}%`, `${proposal.steps[index]}, ${limits.bake_s} s at least`]),
    [
      "each",
      `errors ≤ ${limits.error_percent}%, p99 ≤ ${limits.p99_ms} ms, neither worse than the other lane's${own}; on ${limits.min_samples} requests; up to ${limits.max_bake_s} s, else back`,
    ],
  ];
  if (its.keep !== null)
    steps.splice(1, 0, ["keep", `${its.falling} lane, ${its.keep} instances until the end: what going back would need`]);
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
    fill("The plan", [...parts, make("p", { class: "dim" }, why)], [change(told, post, asked)]);
    return;
  }
  const may = proposal.refusals.length === 0 || proposal.forcible;
  if (!may) {
    fill("The plan would be refused", parts, [change(told, post, asked)]);
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
  fill(asked.back ? "Roll back" : "The plan", parts, [["Move traffic", begin, "danger"], change(told, post, asked)]);
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
    make("label", { class: "choice" }, make("input", { type: "checkbox", name: "force" }), make("span", {}, "Force: go over it ", make("code", { class: "dim" }, "--force"))),
    make("label", {}, "Why it is gone over, for the history", make("input", { name: "reason", autocomplete: "off", maxlength: 2000 })),
  );
}
