"use strict";
// Says what a month costs at the rate that the reader points at, in the chart or with the slider.
const points = POINTS;
const slider = document.getElementById("rate"), told = document.getElementById("at-rate");
const money = (usd) => "$" + usd.toLocaleString("en-US", usd < 100 ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumFractionDigits: 0 });
const low = Math.log(points[0][0]), high = Math.log(points[points.length - 1][0]);
const charts = [...document.querySelectorAll("figure.live svg")].map((svg) => {
  const frame = [...svg.querySelectorAll("path.background")].find((path) => path.getAttribute("d") && !path.getAttribute("d").startsWith("M0,0h0"));
  const [, width, height] = /h([\d.]+)v([\d.]+)/.exec(frame.getAttribute("d")).map(Number);
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [name, value] of Object.entries({ class: "explore-mark", stroke: "#111827", "stroke-width": 1, fill: "none" })) mark.setAttribute(name, value);
  frame.after(mark); // under lines and words
  return { svg, frame, width, height, mark };
});
function show() {
  const [rps, onLambda, onContainers] = points[slider.value];
  const cheaper = onLambda === onContainers ? "the same" : onLambda < onContainers ? "Lambda is cheaper" : "containers are cheaper";
  const rate = rps.toLocaleString("en-US", { maximumSignificantDigits: rps < 100 ? 3 : Math.ceil(Math.log10(rps) + 0.001) });
  told.textContent = `At ${rate} searches a second: ${money(onLambda)} a month on Lambda, ${money(onContainers)} on containers; ${cheaper}.`;
  slider.setAttribute("aria-valuetext", told.textContent);
  for (const { width, height, mark } of charts) mark.setAttribute("d", `M${((Math.log(rps) - low) / (high - low)) * width},0v${height}`);
}
for (const { svg, frame, width } of charts) {
  svg.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(frame.getScreenCTM().inverse());
    const wanted = low + (Math.min(Math.max(at.x, 0), width) / width) * (high - low);
    const distances = points.map(([rps]) => Math.abs(Math.log(rps) - wanted));
    slider.value = distances.indexOf(Math.min(...distances));
    show();
  });
}
slider.addEventListener("input", show);
slider.value = points.findIndex(([, onLambda, onContainers]) => onLambda > onContainers === points[points.length - 1][1] > points[points.length - 1][2]);
document.getElementById("explore").hidden = false;
show();
