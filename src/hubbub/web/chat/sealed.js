// Encrypted rooms: this page has no keys, so it shows that there are messages, and why no text.

import { h, timeOf } from "../core/dom.js";
import { icon } from "../core/icons.js";

const WHY = [
  "Messages here are encrypted from end to end. This page has no keys: it comes from the server, " +
    "which must not be able to read them. Read and write with ",
  " or an application with ",
];

// The notice in the place of the message field.
export function sealedNotice() {
  return h(
    "p",
    { class: "sealed-notice muted small", role: "note" },
    icon("lock"),
    " ",
    WHY[0],
    h("code", null, "hubbub chat --encrypted"),
    WHY[1],
    h("code", null, "hubbub.encryption"),
    ".",
  );
}

export function isSealed(message) {
  return Boolean(message?.sealed) && !message.deleted;
}

// The encrypted messages next to each other that a message belongs to, by their seqs.
export function runOf(seq, { seqs, messages }) {
  const at = seqs.indexOf(seq);
  const sealed = (index) => isSealed(messages.get(seqs[index]));
  let [first, last] = [at, at];
  while (sealed(first - 1)) first -= 1;
  while (sealed(last + 1)) last += 1;
  return seqs.slice(first, last + 1);
}

// The row of an encrypted message: the first of a run has a line for all of them.
export function sealedRow(message, { app, log }) {
  const run = runOf(message.seq, log);
  if (run[0] !== message.seq) return h("div", { class: "row-of-message", hidden: true });
  const found = run.map((seq) => log.messages.get(seq));
  const names = [...new Set(found.map(({ by }) => app.profiles.name(by)))];
  const what = run.length === 1 ? "1 encrypted message" : `${run.length} encrypted messages`;
  return h(
    "div",
    { class: "row-of-message" },
    h(
      "p",
      { class: "sealed muted small", "data-seq": message.seq },
      icon("lock"),
      ` ${what}, ${names.join(" and ")}, ${timeOf(found.at(-1).at)}`,
    ),
  );
}
