// The menu of a room.

import { confirmDialog, openMenu } from "../core/dialog.js";
import { invite } from "./people.js";

// Open the menu of a room.
export function openRoomMenu(button, app, room, togglePeople) {
  const closes = (room.roles[app.user.id] === "creator" || app.role === "admin") && !room.closed;
  const ask = () => invite(app, room).catch((error) => app.notify(error.message, "error"));
  openMenu(button, [
    { label: "Members", icon: "people", act: togglePeople },
    !room.other && { label: "Invite a user", icon: "plus", act: ask },
    !room.other &&
      closes && { label: "Close this room", icon: "lock", danger: true, act: () => close(app, room) },
    !room.other && { label: "Leave", icon: "out", danger: true, act: () => leave(app, room) },
  ]);
}

function close(app, room) {
  const act = () => app.connection.call("chat.close_room", { room_id: room.id });
  const text = "Nobody can send messages in it.";
  return confirmDialog("Close this room?", text, { submit: "Close room", danger: true, act });
}

function leave(app, room) {
  const act = () => app.connection.call("chat.leave", { room_id: room.id }).then(() => app.go("#/chat"));
  const text = room.private ? "This room is private. To join it again, you need an invitation." : "You can join again.";
  return confirmDialog("Leave this room?", text, { submit: "Leave", danger: true, act });
}
