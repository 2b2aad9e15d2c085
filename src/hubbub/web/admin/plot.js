// A line plot of up to the last two minutes, on a canvas.

import { fill, h, onceAFrame } from "../core/dom.js";

const SECONDS_MAX = 120;
const SECONDS_MIN = 20;
const HEIGHT = 64;

// A value and its history. `text` formats values for people.
export class Plot {
  element = h("section", { class: "card plot" });
  #label;
  #text;
  #samples = [];
  #value = h("strong", { class: "number" }, "–");
  #note = h("span", { class: "muted small number" });
  #canvas;
  #pointed = null;
  #draw = onceAFrame(() => this.#paint());

  constructor(label, text) {
    [this.#label, this.#text] = [label, text];
    this.#canvas = h("canvas", { role: "img", "aria-label": `${label}: nothing yet` });
    fill(
      this.element,
      h("h2", null, label),
      h("p", { class: "plot-value" }, this.#value, this.#note),
      this.#canvas,
    );
    this.#canvas.addEventListener("pointermove", (event) =>
      this.#point(event.offsetX / this.#canvas.clientWidth),
    );
    this.#canvas.addEventListener("pointerleave", () => this.#point(null));
    new ResizeObserver(this.#draw).observe(this.#canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", this.#draw);
  }

  // Add a value, at a time in seconds.
  add(at, value) {
    this.#samples.push({ at, value });
    while (this.#samples[0].at < at - SECONDS_MAX) this.#samples.shift();
    this.#draw();
  }

  get #seconds() {
    return Math.max(SECONDS_MIN, this.#samples.at(-1).at - this.#samples[0].at);
  }

  get #most() {
    return Math.max(0, ...this.#samples.map(({ value }) => value));
  }

  #point(part) {
    this.#pointed = part;
    this.#draw();
  }

  #paint() {
    const newest = this.#samples.at(-1);
    if (!newest) return;
    const pointed =
      this.#pointed === null ? null : this.#nearest(newest.at - this.#seconds * (1 - this.#pointed));
    const shown = pointed ?? newest;
    const ago = Math.round(newest.at - shown.at);
    fill(this.#value, this.#text(shown.value));
    fill(this.#note, pointed ? `${ago} s ago` : `most ${this.#text(this.#most)}`);
    this.#canvas.setAttribute(
      "aria-label",
      `${this.#label}: ${this.#text(newest.value)} now, at most ${this.#text(this.#most)} in the last two minutes`,
    );
    this.#paintLine(newest.at, pointed);
  }

  #nearest(at) {
    return this.#samples.reduce((best, one) => (Math.abs(one.at - at) < Math.abs(best.at - at) ? one : best));
  }

  #paintLine(now, pointed) {
    const canvas = this.#canvas;
    const [width, ratio] = [canvas.clientWidth, devicePixelRatio];
    [canvas.width, canvas.height] = [width * ratio, HEIGHT * ratio];
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    // A line of zeros lies at the bottom.
    const [top, seconds] = [this.#most || 1, this.#seconds];
    const x = ({ at }) => width * (1 - (now - at) / seconds);
    const y = ({ value }) => HEIGHT - 2 - (HEIGHT - 6) * (value / top);

    pen.strokeStyle = style.borderTopColor;
    for (const part of [0.25, 0.5, 0.75])
      stroke(pen, [
        [width * part, 0],
        [width * part, HEIGHT],
      ]);
    const line = this.#samples.map((sample) => [x(sample), y(sample)]);
    pen.strokeStyle = pen.fillStyle = style.color;
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    stroke(pen, line);
    pen.globalAlpha = 0.12;
    stroke(pen, [[line[0][0], HEIGHT], ...line, [width, HEIGHT]], "fill");
    pen.globalAlpha = 1;
    if (pointed) (pen.beginPath(), pen.arc(x(pointed), y(pointed), 4, 0, 2 * Math.PI), pen.fill());
  }
}

function stroke(pen, points, how = "stroke") {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen[how]();
}
