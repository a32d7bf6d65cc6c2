// One dialog at a time: it says what will happen, has a production stage's name typed, and says what came of it.
"use strict";
import { byId, clock, make, withCommands } from "./parts.js";
import { running } from "./switch.js";

let post = async () => ({ error: "not connected" });
export const sendWith = (send) => {
  post = send;
};

const dialog = () => byId("dialog");

/** Fills the dialog with `parts` and buttons [label, act, kind]; an act returns an error's text, or nothing. The first submits. */
export function fill(title, parts, acts) {
  const wrong = make("p", { class: "bad", role: "alert", id: "dialog-error" });
  const close = make("button", { type: "button" }, acts.length ? "Cancel" : "Close");
  close.addEventListener("click", () => dialog().close());
  const buttons = acts.map(([label, , kind], index) =>
    make("button", { type: index === 0 ? "submit" : "button", class: kind || "primary" }, label),
  );
  const form = make(
    "form",
    { method: "dialog" },
    make("h2", { id: "dialog-title" }, title),
    ...parts,
    wrong,
    make("div", { class: "ends" }, ...buttons, close),
  );
  acts.forEach(([, act], index) => {
    const button = buttons[index];
    const run = async (event) => {
      event.preventDefault();
      button.disabled = true;
      form.setAttribute("aria-busy", "true");
      wrong.textContent = "";
      const said = await act(form).catch((error) => `the console does not answer: ${error.message}`);
      form.removeAttribute("aria-busy");
      button.disabled = false;
      if (said) wrong.textContent = said;
    };
    if (index === 0) form.addEventListener("submit", run);
    else button.addEventListener("click", run);
  });
  dialog().replaceChildren(form);
  if (!dialog().open) dialog().showModal();
  // Of choices the chosen one, as Tab does.
  const first = form.querySelector("input[type=radio]:checked") ?? form.querySelector("[autofocus], input, select, textarea");
  (first ?? close).focus();
}

/** The field in which a production stage's name is typed; nothing for another. */
export function nameField(told) {
  if (!told.production) return [];
  return [
    make(
      "label",
      {},
      `Type the stage's name, ${told.stage}, to go on`,
      make("input", { name: "typed", autocomplete: "off", spellcheck: "false", autofocus: true, required: true }),
    ),
  ];
}

export const typedIn = (form) => form.elements.typed?.value ?? "";

/** Send an order; on success the dialog says what came of it. */
export async function order(command, body, title) {
  const told = await post(command, body);
  if (told.error) return told.error;
  fill(title, [make("p", { role: "status", id: "dialog-said" }, ...withCommands(told.said))], []);
  return "";
}

const driver = (its) =>
  its.driven
    ? `Its driver, ${its.owner}, does so at its next look, within seconds.`
    : `Its driver, ${its.owner}, is gone: nothing happens until somebody resumes it.`;

/** Who goes back: as `crossover abort`, this console too where the driver died a moment ago. */
function goesBack(told) {
  const its = told.switch;
  if (!its.driven) return `Its driver, ${its.owner}, is gone: this console goes back itself.`;
  if (told.driving.running) return "This console drives it, and goes back at its next look, within seconds.";
  return `${driver(its)} Should it have died, this console goes back itself when its lease ends, at ${clock(its.lease_until)} unless it is renewed.`;
}

/** The same on the command line, for whoever writes it down. */
export const asCommand = (told, command) => make("p", { class: "dim" }, make("code", {}, `crossover ${command} --stage ${told.stage}`));

/** What each command will do, in words, as [title, sentences, label, kind]. */
function meaning(command, told) {
  const its = told.switch,
    next = its.steps[its.step + 1];
  const further = its.phase === "verify" && next ? `Traffic moves to ${next.words} now` : "The next step is taken now";
  return {
    pause: [
      "Hold the switch",
      [`It stays at ${its.at}: traffic is split as it is. A lane that falls sick is left all the same.`, driver(its)],
      "Pause",
      "",
    ],
    promote: its.phase === "gate" ? overGate(its) : [
      "Next step now",
      [`${further}, without waiting for more requests. A lane that is known to be sick is not promoted.`, driver(its)],
      "Promote",
      "",
    ],
    abort: [
      "Go back",
      [`Traffic goes back to ${its.start_words}, where it was, unless that lane is sick and the other is not.`, goesBack(told)],
      "Abort",
      "danger",
    ],
    resume: resuming(its),
  }[command];
}

function overGate(its) {
  const says = its.held ? `It says: ${its.held}` : "It has not answered yet.";
  return [
    "Go over the gate",
    [`A gate is asked before this step. ${says}`, "The step is taken all the same, and that stands in the history.", driver(its)],
    "Go over it",
    "danger",
  ];
}

function resuming(its) {
  const way = its.wish === "abort" || its.phase === "roll-back" ? `back to ${its.start_words}` : `on to ${its.goal_words}`;
  if (!its.driven)
    return [
      "Go on from here",
      [
        `${its.owner} is gone. This console drives the switch from ${its.at}, ${way}.`,
        "Nothing is asked again: the plan is in the record.",
      ],
      "Resume",
      "",
    ];
  if (its.wish === "pause")
    return ["Go on", [`The switch goes on at ${its.at}, to ${its.goal_words}.`, driver(its)], "Resume", ""];
  return [
    "Take the switch over",
    [
      `${its.owner} is at work at ${its.at}. Taken over, that driver stops before its next change, and this console drives ${way}.`,
      "Only where its driver is stuck.",
    ],
    "Take over",
    "danger",
  ];
}

/** The confirmation of a command on a running switch. */
export function confirm(command, told) {
  if (!running(told)) return;
  const [title, sentences, label, kind] = meaning(command, told),
    its = told.switch;
  const over = command === "resume" && its.driven && its.wish !== "pause";
  const gated = its.phase === "gate";
  const body = (form) =>
    ({ resume: { take_over: over }, promote: { step: its.step, over_gate: gated, typed: typedIn(form) } })[command] ?? {};
  const act = (form) => order(command, body(form), title);
  const said = command === "promote" && gated ? "promote --over-gate" : over ? "resume --take-over" : command;
  const named = command === "promote" ? nameField(told) : [];
  const parts = [...sentences.map((text) => make("p", {}, text)), asCommand(told, said), ...named];
  fill(title, parts, [[label, act, kind]]);
}
