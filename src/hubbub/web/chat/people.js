// The members of a room, and the actions on them.

import { confirmDialog, formDialog, openMenu } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { icon } from "../core/icons.js";
import { avatarOf, guestLabel } from "../core/profiles.js";

const RANK = { creator: 0, moderator: 1, member: 2 };
const MUTES = [
  ["60", "a minute"],
  ["600", "ten minutes"],
  ["3600", "an hour"],
  ["86400", "a day"],
  ["0", "Unmute"],
];

// Return whether the user moderates a room.
export function moderates(app, room) {
  return (
    ["moderator", "admin"].includes(app.role) || ["creator", "moderator"].includes(room.roles[app.user.id])
  );
}

// Make the list of a room's members.
export function membersOf(app, room) {
  const order = (id) => [app.profiles.of(id).status === "offline" ? 1 : 0, RANK[room.roles[id]] ?? 2];
  const ids = [...room.members].sort(
    (one, other) => order(one)[0] - order(other)[0] || order(one)[1] - order(other)[1],
  );
  return h(
    "ul",
    { class: "members" },
    ids.map((id) => h("li", null, member(app, room, id))),
    room.member_count > ids.length &&
      h("li", { class: "muted small" }, `and ${room.member_count - ids.length} more`),
  );
}

function member(app, room, id) {
  const user = app.profiles.of(id);
  const { nickname, status } = user;
  const role = room.roles[id];
  const button = h(
    "button",
    {
      class: "member",
      type: "button",
      "aria-haspopup": "menu",
      onclick: () => openMenu(button, actionsOn(app, room, id)),
      disabled: id === app.user.id,
    },
    avatarOf(user, { presence: true }),
    h(
      "span",
      { class: "grow clip" },
      nickname,
      id === app.user.id && h("span", { class: "muted" }, " (you)"),
    ),
    guestLabel(user),
    role && role !== "member" && h("span", { class: "chip small-chip" }, role),
    h("span", { class: "visually-hidden" }, ` ${status}`),
  );
  return button;
}

function actionsOn(app, room, id) {
  const { connection, profiles } = app;
  const name = profiles.name(id);
  const call = (method, params = {}) => connection.call(method, { room_id: room.id, user_id: id, ...params });
  const sure = (title, text, submit, method) =>
    confirmDialog(title, text, { submit, danger: true, act: () => call(method) });
  const creator = room.roles[app.user.id] === "creator" || app.role === "admin";
  const above =
    moderates(app, room) &&
    (creator || room.roles[id] === "member") &&
    room.roles[id] !== "creator" &&
    !room.other;
  const moderator = room.roles[id] === "moderator";
  return [
    { label: "Send a direct message", icon: "chat", act: () => writeTo(app, id) },
    above &&
      creator && {
        label: moderator ? "Make a member" : "Make a moderator",
        icon: "user",
        act: () =>
          call("chat.set_role", { role: moderator ? "member" : "moderator" }).catch((error) =>
            app.notify(error.message, "error"),
          ),
      },
    above && {
      label: "Mute…",
      icon: "lock",
      act: () => mute(name, (seconds) => call("chat.mute", { seconds })),
    },
    above && {
      label: "Kick",
      icon: "out",
      danger: true,
      act: () => sure(`Kick ${name}?`, "They can join again.", "Kick", "chat.kick"),
    },
    above && {
      label: "Ban",
      icon: "close",
      danger: true,
      act: () =>
        sure(`Ban ${name}?`, "They cannot join again until a moderator invites them.", "Ban", "chat.ban"),
    },
  ];
}

function mute(name, act) {
  const fields = [{ name: "seconds", label: "For", options: MUTES }];
  return formDialog(`Mute ${name}`, fields, { submit: "Mute", act: ({ seconds }) => act(Number(seconds)) });
}

// Begin a conversation with a user.
export async function writeTo(app, id) {
  const fields = [{ name: "text", label: "Message", required: true, maxlength: 4000 }];
  const act = ({ text }) => app.connection.command("chat.send_direct", { user_id: id, text });
  const sent = await formDialog(`Write to ${app.profiles.name(id)}`, fields, { submit: "Send", act });
  if (sent) app.go(`#/chat/${encodeURIComponent(sent.stream)}`);
}

// Invite an online user to a room.
export async function invite(app, room) {
  const online = await app.connection.call("users.online");
  const others = online.filter(({ id }) => !room.members.includes(id));
  if (!others.length) {
    app.notify("Everyone who is online is already in this room.");
    return;
  }
  const fields = [
    { name: "user_id", label: "User", options: others.map(({ id, nickname }) => [id, nickname]) },
  ];
  const act = (values) => app.connection.call("chat.invite", { room_id: room.id, ...values });
  if (await formDialog("Invite a user", fields, { submit: "Invite", act })) app.notify("Invitation sent.", "good");
}

// Make a button with a picture and a label that shows on hover.
export function tool(name, label, act, props = {}) {
  const button = h(
    "button",
    {
      class: "button quiet round",
      type: "button",
      "aria-label": label,
      title: label,
      onclick: () => act(button),
      ...props,
    },
    icon(name),
  );
  return button;
}
