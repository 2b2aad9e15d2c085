// The row of a message.

import { h, timeOf } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { avatarOf, guestLabel } from "../core/profiles.js";

// Messages of one author within this time share a heading.
const TOGETHER_MS = 5 * 60_000;
const QUOTE_CHARS = 90;
// Creating a formatter takes longer than the rest of a row, so they are shared.
const clock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit" });
const shortClock = new Intl.DateTimeFormat([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const whole = new Intl.DateTimeFormat([], { dateStyle: "medium", timeStyle: "medium" });
const weekday = new Intl.DateTimeFormat([], { weekday: "long", day: "numeric", month: "long" });
const weekdayAndYear = new Intl.DateTimeFormat([], { dateStyle: "full" });

// Make the row of a message. `context` has: app, log, before (the message above, if any), mine,
// moderates, and the actions of the buttons: reply, edit, remove, react, pick, jump.
export function messageRow(message, context) {
  const { app, before } = context;
  const day = dayOf(message.at);
  const newDay = !before || dayOf(before.at) !== day;
  const heads =
    newDay ||
    before.by !== message.by ||
    Date.parse(message.at) - Date.parse(before.at) > TOGETHER_MS ||
    message.reply_to;
  const author = app.profiles.of(message.by);
  return h(
    "div",
    { class: "row-of-message" },
    newDay && h("h2", { class: "day" }, h("span", null, day)),
    h(
      "article",
      {
        class: `message ${heads ? "heads" : ""} ${message.pending ? "pending" : ""}`,
        "data-seq": message.seq,
        "aria-label": `${author.nickname}, ${timeOf(message.at)}`,
        tabindex: -1,
        onclick: choose,
      },
      heads
        ? avatarOf(author)
        : h(
            "time",
            { class: "aside", datetime: message.at, "aria-hidden": "true" },
            shortClock.format(new Date(message.at)),
          ),
      h(
        "div",
        { class: "said" },
        heads && heading(message, author),
        message.reply_to && quote(message, context),
        body(message),
        reactions(message, context),
      ),
      !message.deleted && !message.pending && actions(message, context),
    ),
  );
}

// On a device without hover, touching a message shows its actions.
function choose({ currentTarget }) {
  for (const other of currentTarget.closest("hub-scroller").querySelectorAll(".message.chosen"))
    if (other !== currentTarget) other.classList.remove("chosen");
  currentTarget.classList.toggle("chosen");
}

function heading(message, author) {
  return h(
    "p",
    { class: "heading" },
    h("strong", null, author.nickname),
    " ",
    author.guest && [guestLabel(author), " "],
    h(
      "time",
      { class: "muted small", datetime: message.at, title: whole.format(new Date(message.at)) },
      clock.format(new Date(message.at)),
    ),
  );
}

function quote({ reply_to }, { app, log, jump }) {
  const original = log.messages.get(reply_to);
  const text = original
    ? original.deleted
      ? "a deleted message"
      : original.text.slice(0, QUOTE_CHARS)
    : "an earlier message";
  return h(
    "button",
    { class: "quote", type: "button", onclick: () => jump(reply_to) },
    icon("reply"),
    original && h("strong", null, app.profiles.name(original.by)),
    h("span", { class: "clip" }, text),
  );
}

function body(message) {
  if (message.deleted) return h("p", { class: "text muted" }, h("em", null, "This message was deleted."));
  return h(
    "p",
    { class: "text", dir: "auto" },
    message.text,
    message.edited_at && h("span", { class: "muted small" }, " (edited)"),
    message.pending && h("span", { class: "muted small" }, " · sending…"),
  );
}

function reactions(message, { app, react, pick }) {
  const chips = Object.entries(message.reactions).map(([emoji, users]) => {
    const mine = users.includes(app.user.id);
    const names = users.map((id) => app.profiles.name(id)).join(", ");
    const label = `${emoji} ${users.length}, ${names}`;
    return h(
      "button",
      {
        class: "reaction",
        type: "button",
        "aria-pressed": String(mine),
        "aria-label": label,
        title: names,
        onclick: () => react(message, emoji, !mine),
      },
      emoji,
      " ",
      h("span", { class: "number" }, String(users.length)),
    );
  });
  if (!chips.length) return null;
  const more = h(
    "button",
    { class: "reaction", type: "button", "aria-label": "Add a reaction", onclick: () => pick(message, more) },
    icon("smile"),
  );
  return h("div", { class: "reactions" }, chips, more);
}

function actions(message, { app, moderates, reply, edit, remove, pick }) {
  const mine = message.by === app.user.id;
  const button = (name, label, act, danger = "") => {
    const made = h(
      "button",
      {
        class: `button quiet round compact ${danger}`,
        type: "button",
        "aria-label": label,
        title: label,
        onclick: () => act(message, made),
      },
      icon(name),
    );
    return made;
  };
  return h(
    "div",
    { class: "actions", role: "group", "aria-label": "Message actions" },
    button("smile", "React", pick),
    button("reply", "Reply", reply),
    mine && button("edit", "Edit", edit),
    (mine || moderates) && button("trash", "Delete", remove, "danger"),
  );
}

function dayOf(at) {
  const day = new Date(at);
  const today = new Date();
  if (day.toDateString() === today.toDateString()) return "Today";
  return (day.getFullYear() === today.getFullYear() ? weekday : weekdayAndYear).format(day);
}
