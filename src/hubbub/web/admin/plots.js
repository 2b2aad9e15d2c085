// The plots of the hub: from its totals, the rates per second.

import { h } from "../core/dom.js";
import { has } from "../core/features.js";
import { Plot } from "./plot.js";

const number = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const count = (value) => number.format(value);
const rate = (value) => `${number.format(value)}/s`;
const milliseconds = (value) => `${number.format(value * 1000)} ms`;

// Label, format, the value from the newest statistics and the previous ones; and the feature
// that the plot needs.
const PLOTS = [
  ["Connections", count, (now) => now.connections],
  ["Users online", count, (now) => now.users],
  ["Messages", rate, (now, per) => per(({ events }) => events.message ?? 0), "chat"],
  ["Commands", rate, (now, per) => per(({ calls }) => calls)],
  ["Refused", rate, (now, per) => per(({ refusals }) => refusals)],
  ["Waiting", count, (now) => now.calls_queued],
  ["Commit, median", milliseconds, (now) => now.commit_seconds_median],
  ["Commit, p99", milliseconds, (now) => now.commit_seconds_p99],
  ["Calls a commit", count, (now) => now.batch_calls],
  ["Followers", count, (now) => now.followers],
];

// All plots, which take the results of operations.stats.
export class Plots {
  #plots = PLOTS.filter(([, , , feature = "operations"]) => has(feature)).map(([label, text, value]) => ({ plot: new Plot(label, text), value }));
  element = h(
    "section",
    { class: "plots", "aria-label": "Now" },
    this.#plots.map(({ plot }) => plot.element),
  );
  #before = null;

  show(stats) {
    const at = Date.parse(stats.at) / 1000;
    const before = this.#before;
    this.#before = { at, stats };
    if (!before || at <= before.at) return;
    const per = (total) => Math.max(0, total(stats) - total(before.stats)) / (at - before.at);
    for (const { plot, value } of this.#plots) plot.add(at, value(stats, per));
  }
}
